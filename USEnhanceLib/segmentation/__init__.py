"""Fetal head and pubic symphysis: outlines and what is measured on them. Importing it loads nothing heavy.

from USEnhanceLib import read_frames
from USEnhanceLib.segmentation import load_segmenter

labels = load_segmenter("fhps")(read_frames("cine.dcm").pixels)
"""

from __future__ import annotations

from .loading import check_segmenter, load_segmenter, segmentation_packages
from .structures import BACKGROUND, FETAL_HEAD, PUBIC_SYMPHYSIS, STRUCTURES, Structure

__all__ = [
    "BACKGROUND",
    "FETAL_HEAD",
    "PUBIC_SYMPHYSIS",
    "STRUCTURES",
    "Structure",
    "check_segmenter",
    "load_segmenter",
    "segmentation_packages",
]
