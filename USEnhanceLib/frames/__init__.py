"""Files and arrays <-> `Frames`, a stack of B-mode frames that can be given back exactly as it came.

    frames = read_frames("cine.dcm")
    write_frames("enhanced.nrrd", frames.with_pixels(enhanced))

Only numpy is imported here; pydicom, SimpleITK and scipy are imported by the functions that need them.
"""

from __future__ import annotations

from .arrays import frames_from_array
from .intensity import find_intensity_range
from .sector import find_sector
from .stack import Frames, Geometry

__all__ = [
    "Frames",
    "Geometry",
    "find_intensity_range",
    "find_sector",
    "frames_from_array",
]
