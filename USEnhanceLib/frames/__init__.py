"""Files and arrays <-> `Frames`, a stack of B-mode frames that can be given back exactly as it came.

    frames = read_frames("cine.dcm")
    write_frames("enhanced.nrrd", frames.with_pixels(enhanced))

Only numpy is imported here; pydicom, SimpleITK and scipy are imported by the functions that need them.
"""

from __future__ import annotations

from .arrays import frames_from_array
from .intensity import find_intensity_range
from .reading import read_frames
from .sector import find_sector
from .stack import Frames, Geometry
from .writing import check_writable, write_frames

__all__ = [
    "Frames",
    "Geometry",
    "check_writable",
    "find_intensity_range",
    "find_sector",
    "frames_from_array",
    "read_frames",
    "write_frames",
]
