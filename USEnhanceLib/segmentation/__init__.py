"""Fetal head and pubic symphysis: outlines and what is measured on them. Importing it loads nothing heavy.

from USEnhanceLib import read_frames
from USEnhanceLib.segmentation import load_segmenter

labels = load_segmenter("fhps")(read_frames("cine.dcm").pixels)
"""

from __future__ import annotations

from ..errors import MeasurementRefused
from .loading import check_segmenter, load_segmenter, segmentation_packages
from .overlap import dice
from .progression import Progression, angle_of_progression
from .structures import BACKGROUND, FETAL_HEAD, PUBIC_SYMPHYSIS, STRUCTURES, Structure

__all__ = [
    "BACKGROUND",
    "FETAL_HEAD",
    "PUBIC_SYMPHYSIS",
    "STRUCTURES",
    "MeasurementRefused",
    "Progression",
    "Structure",
    "angle_of_progression",
    "check_segmenter",
    "dice",
    "load_segmenter",
    "segmentation_packages",
]
