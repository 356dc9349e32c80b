"""What a running Slicer shows to Python: the facts that the stand-ins enforce."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FACTS_FILE = Path(__file__).resolve().parents[1] / "slicer-api-subset.json"


@dataclass(frozen=True, eq=False)
class ClassFacts:
    """Properties (name to Qt type), signal signatures and other names of one class, bases included."""

    name: str
    properties: Mapping[str, str]
    signals: frozenset[str]
    attributes: frozenset[str]

    def is_read_only(self, name: str) -> bool:
        """Whether Slicer refuses to write the property."""
        return self.properties[name].endswith("(read only)")

    def property_type(self, name: str) -> str:
        """The Qt type of the property, as "bool" or "Qt::Alignment"."""
        return self.properties[name].removesuffix("(read only)").strip()

    @functools.cached_property
    def signal_names(self) -> frozenset[str]:
        """The names of the signals, without arguments."""
        return frozenset(signature.partition("(")[0] for signature in self.signals)

    def overloads(self, name: str) -> list[str]:
        """The signatures of a signal, the one with most arguments first."""
        found = [signature for signature in self.signals if signature.partition("(")[0] == name]
        return sorted(found, key=lambda signature: (-argument_count(signature), signature))


def argument_count(signature: str) -> int:
    """How many arguments a signature as "finished(int,QProcess::ExitStatus)" has."""
    arguments = signature.partition("(")[2].rstrip(")")
    return arguments.count(",") + 1 if arguments else 0


def normalized(signature: str) -> str:
    """The signature without spaces, as Qt compares them."""
    return signature.replace(" ", "")


@functools.cache
def record() -> dict[str, Any]:
    """The stored facts."""
    return json.loads(FACTS_FILE.read_text(encoding="utf-8"))


@functools.cache
def names(module: str) -> frozenset[str]:
    """The names in "qt", "ctk", "slicer" ("qt_names" and so on), "slicer_util" or "slicer_app"."""
    key = module if module in ("slicer_util", "slicer_app") else f"{module}_names"
    return frozenset(record()[key])


@functools.cache
def class_facts(name: str) -> ClassFacts | None:
    """The facts of "qt.QLabel", "QWidget" and so on; None for a class of which none are stored."""
    entry = record().get(name)
    if not isinstance(entry, dict) or "attributes" not in entry:
        return None
    base = class_facts(entry["base"]) if entry["base"] else None
    properties = {**(base.properties if base else {}), **entry["properties"]}
    return ClassFacts(
        name=name,
        properties=properties,
        signals=frozenset(entry["signals"]) | (base.signals if base else frozenset()),
        attributes=frozenset(entry["attributes"]) | (base.attributes if base else frozenset()),
    )


def custom_classes() -> Mapping[str, str]:
    """The ctk and qMRML classes of which facts are stored, each with the class that it derives from."""
    return record()["custom_bases"]
