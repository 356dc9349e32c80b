"""The codes of the outlined structures: as tags of segments, and as a terminology that Slicer offers.

None of the terminologies that come with Slicer has them. The codes are SNOMED CT's, as DICOM uses them
(PS3.16: 82561000, "Symphysis pubis"); 54527006 is "Fetal head structure".
"""

from __future__ import annotations

from pathlib import Path

import slicer

from ..segmentation.structures import FETAL_HEAD, PUBIC_SYMPHYSIS, STRUCTURES, Structure

CONTEXT = "Fetal head and pubic symphysis - USEnhance"
"""Name of the terminology in Resources/USEnhance.term.json."""

_CATEGORY = ("SCT", "123037004", "Anatomical Structure")
_TYPES = {
    PUBIC_SYMPHYSIS.label: ("SCT", "82561000", "Symphysis pubis"),
    FETAL_HEAD.label: ("SCT", "54527006", "Fetal head"),
}
# What people call them in segmentations of their own, in small letters.
_NAMES = {
    PUBIC_SYMPHYSIS.label: {"pubic symphysis", "symphysis pubis", "symphysis", "ps", "sp"},
    FETAL_HEAD.label: {"fetal head", "foetal head", "head", "fh"},
}
# Of a tag: context, category, type, modifier, anatomic context, region, modifier of the region.
_TYPE_IN_TAG = 2
_CODE_IN_TYPE = 1


def load_terminology(path: Path) -> bool:
    """Make Slicer know the terminology in a file, again if it does already; return whether that worked."""
    return bool(slicer.modules.terminologies.logic().LoadTerminologyFromFile(str(path)))


def terminology_tag(structure: Structure) -> str:
    """Return the tag that tells what a segment is, in the form that Slicer stores."""
    none = "^^"
    category, kind = "^".join(_CATEGORY), "^".join(_TYPES[structure.label])
    return f"{CONTEXT}~{category}~{kind}~{none}~~{none}~{none}"


def structure_of_tag(tag: str) -> Structure | None:
    """Return the structure that the tag of a segment names, whichever terminology it is from; else None."""
    parts = tag.split("~")
    kind = parts[_TYPE_IN_TAG].split("^") if len(parts) > _TYPE_IN_TAG else []
    code = kind[_CODE_IN_TYPE] if len(kind) > _CODE_IN_TYPE else ""
    return next((structure for structure in STRUCTURES if _TYPES[structure.label][1] == code), None)


def structure_of_name(name: str) -> Structure | None:
    """Return the structure that a segment's name means, such as "Fetal head" or "fh"; else None."""
    words = " ".join(name.lower().replace("_", " ").replace("-", " ").split())
    return next((structure for structure in STRUCTURES if words in _NAMES[structure.label]), None)
