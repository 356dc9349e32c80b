"""Keep, of the full record of what a running Slicer shows to Python, the part that the stand-ins need.

Usage: python extract_api.py slicer-api.json slicer-api-subset.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

# The facts do not say from which class a ctk or qMRML class derives; CTK's and Slicer's headers do.
CUSTOM_BASES = {
    "ctk.ctkCollapsibleButton": "qt.QAbstractButton",
    "ctk.ctkComboBox": "qt.QComboBox",
    "ctk.ctkMessageBox": "qt.QMessageBox",
    "ctk.ctkSliderWidget": "qt.QWidget",
    "slicer.qMRMLCollapsibleButton": "ctk.ctkCollapsibleButton",
    "slicer.qMRMLNodeComboBox": "qt.QWidget",
    "slicer.qMRMLSliceWidget": "slicer.qMRMLWidget",
    "slicer.qMRMLSliderWidget": "ctk.ctkSliderWidget",
    "slicer.qMRMLTableView": "qt.QTableView",
    "slicer.qMRMLWidget": "qt.QWidget",
    "slicer.qSlicerWidget": "qt.QWidget",
}
UNUSED_QT = {"qt.QThread", "qt.QTreeWidget", "qt.QListWidget", "qt.QTextBrowser"}
NAME_LISTS = ("qt_names", "ctk_names", "slicer_names", "slicer_util")


def subset(full: dict[str, Any]) -> dict[str, Any]:
    """The name lists, QObject, QWidget, the Qt classes and the custom classes of CUSTOM_BASES.

    QObject is not recorded on its own: it is what every recorded class that is no widget has in common.
    """
    classes = full["classes"]
    objects = [facts for facts in classes.values() if "connect" in facts["attributes"]]
    common = set.intersection(*(set(facts["attributes"]) for facts in objects))
    shared_signals = set.intersection(*(set(facts["signals"]) for facts in objects))
    kept = {
        name: facts
        for name, facts in classes.items()
        if name in CUSTOM_BASES or (name.startswith("qt.") and name not in UNUSED_QT)
    }
    result: dict[str, Any] = {"about": full["about"], **{name: full[name] for name in NAME_LISTS}}
    result["slicer_app"] = full["slicer_app"]["attributes"]
    result["custom_bases"] = CUSTOM_BASES
    result["QObject"] = {
        "base": "",
        "properties": {"objectName": "QString"},
        "signals": sorted(shared_signals),
        "attributes": sorted(common),
    }
    result["QWidget"] = {"base": "", **full["QWidget"]}
    for name, facts in kept.items():
        is_object = "connect" in facts["attributes"]
        result[name] = {
            "base": "QObject" if is_object else "QWidget",
            "properties": facts["properties"],
            "signals": sorted(set(facts["signals"]) - (shared_signals if is_object else set())),
            "attributes": sorted(set(facts["attributes"]) - (common if is_object else set())),
        }
    return result


def main(arguments: list[str]) -> int:
    """Read the full record, write the subset with one line for each entry."""
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    source, target = map(Path, arguments)
    facts = subset(json.loads(source.read_text(encoding="utf-8")))
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in facts.items()]
    target.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
