"""Blur that changes with depth, as that of a pulsed transducer does: an extension beyond arXiv 2601.21856."""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from ..errors import OptionError
from .draw import levels

Widths: TypeAlias = "tuple[float | Tensor, float | Tensor]"
"""Axial and lateral standard deviation in pixels, each one for all frames or [N]."""


def blur_with_depth(
    frames: Tensor,
    near: Widths,
    far: Widths,
    *,
    focus: Widths | None = None,
    focal_depth: float | Tensor = 0.5,
) -> Tensor:
    """Blur with a Gaussian point spread function whose widths depend on the row; depth runs down the rows.

    The lateral full width at half maximum of a beam is about 1.2 wavelength z / D at depth z for an aperture
    of width D (T. L. Szabo, "Diagnostic Ultrasound Imaging: Inside Out", chapters on beamforming): it grows
    linearly where the aperture is fixed and the receiver focuses at every depth, which is the profile
    without `focus`. With one focus the beam narrows towards it and widens after it: the square of the width
    is then that of the waist plus a square that grows with the distance from it, as in a Gaussian beam. The
    axial width, half the pulse's length, grows a little as attenuation takes the high frequencies. A
    standard deviation is a full width at half maximum / 2.355, divided by the spacing of the pixels.

    Every pixel is the weighted mean of its surroundings by the widths of its own row, cut off at
    ceil(3 sigma) pixels; edges are replicated. So a constant frame stays, and equal widths everywhere do what
    `blur` does with `anisotropic_psf`.

    Args:
        frames: [N, H, W], any device.
        near: axial and lateral width at the first row, 0 or more (usually .3 to 2 and .5 to 4).
        far: the same at the last row.
        focus: the same at the focal depth, nowhere wider than `near` and `far`; linear from near to far
            when not given.
        focal_depth: the focus' share of the way from the first row to the last, between .01 and .99; one for
            all or [N].

    Returns:
        [N, H, W].

    Raises:
        OptionError: a parameter is out of range or of another count than 1 or N, or the focus is wider than
            a neighbour.
    """
    depth = torch.linspace(0, 1, frames.shape[-2], device=frames.device, dtype=frames.dtype)
    focal = levels(focal_depth, frames, "focal depth", low=0.01, high=0.99)[..., 0]
    blurred = frames
    for index, (name, dim) in enumerate((("axial width", -2), ("lateral width", -1))):
        first, last = (levels(widths[index], frames, name)[..., 0] for widths in (near, far))
        if focus is None:
            sigma = first + (last - first) * depth
        else:
            waist = levels(focus[index], frames, name)[..., 0]
            if bool((waist > torch.minimum(first, last)).any()):
                raise OptionError(f"Give no larger {name} at the focus than at the first and the last row.")
            distance = torch.where(depth < focal, (focal - depth) / focal, (depth - focal) / (1 - focal))
            widest = torch.where(depth < focal, first, last)
            sigma = (waist**2 + (widest**2 - waist**2) * distance**2).sqrt()
        blurred = _smooth_rows(blurred, sigma, dim)
    return blurred


def _smooth_rows(frames: Tensor, sigma: Tensor, dim: int) -> Tensor:
    """Smooth frames [N, H, W] along `dim`, -2 or -1, by the Gaussian of each row's sigma, [1 or N, H]."""
    # A hair less, so that the widths of `blur_sigma` keep their sizes in spite of rounding.
    reach = torch.ceil(3 * sigma - 1e-5)[..., None]
    radius = int(reach.max())
    taps = torch.arange(-radius, radius + 1, device=sigma.device, dtype=sigma.dtype)
    weights = torch.exp(-((taps / sigma.clamp_min(0.1)[..., None]) ** 2) / 2) * (taps.abs() <= reach)
    weights = (weights / weights.sum(-1, keepdim=True))[..., None]
    border = (0, 0, radius, radius) if dim == -2 else (radius, radius, 0, 0)
    padded = functional.pad(frames[:, None], border, mode="replicate")[:, 0]
    smoothed = torch.zeros_like(frames)
    for tap in range(2 * radius + 1):
        smoothed.addcmul_(weights[:, :, tap], padded.narrow(dim, tap, frames.shape[dim]))
    return smoothed
