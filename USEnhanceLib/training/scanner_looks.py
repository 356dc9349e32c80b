"""What scanners do to the look of a frame: gain, gamma, shadow, noise, blur, text and bars on the screen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from ..degradation import (
    BLUR_SIZES,
    blur,
    fourier_noise,
    gaussian_noise,
    gaussian_psf,
    rayleigh_speckle,
)

LETTERS = "ABCDEFGHIKLMNOPRSTUVWXYZ0123456789 .:/-"


@dataclass(frozen=True)
class ScannerLooks:
    """Draws looks of frames.

    Attributes:
        gain: lowest and highest factor of grey values.
        gamma: lowest and highest exponent, the curve of the display.
        uneven: chance of a smooth change of gain over the frame, as of time gain compensation and shadow.
        dropout: chance of a few black rectangles, as where the probe loses contact.
        screen: chance of a grey bar, tick marks or text at the edges.
        degraded: chance of noise, speckle or blur, or blur and one of them.
        sigma: lowest and highest standard deviation of Gaussian noise.
        g: lowest and highest share of Fourier noise.
        dynamic_range: lowest and highest in dB, of log-compressed Rayleigh speckle.
        grain: lowest and highest standard deviation in pixels of the Gaussian that smooths speckle.
    """

    gain: tuple[float, ...] = (0.6, 1.5)
    gamma: tuple[float, ...] = (0.6, 1.4)
    uneven: float = 0.3
    dropout: float = 0.15
    screen: float = 0.3
    degraded: float = 0.5
    sigma: tuple[float, ...] = (0.02, 0.25)
    g: tuple[float, ...] = (0.02, 0.3)
    dynamic_range: tuple[float, ...] = (20.0, 70.0)
    grain: tuple[float, ...] = (0.0, 1.5)

    def draw(self, view: Tensor, generator: Generator) -> Tensor:
        """Return the view [H, W] in [0, 1] as another scanner might show it."""
        from monai.transforms import Compose, RandAdjustContrast, RandBiasField, RandCoarseDropout

        low, high = self.gain
        # Made for each view: MONAI's transforms keep what they drew, and views are drawn in several threads.
        display = Compose(
            [
                RandAdjustContrast(prob=0.7, gamma=self.gamma),
                RandBiasField(prob=self.uneven, coeff_range=(-0.5, 0.5)),
                RandCoarseDropout(
                    prob=self.dropout, holes=1, max_holes=3, spatial_size=12, max_spatial_size=64
                ),
            ]
        )
        display.set_random_state(seed=_whole(generator, 1 << 31))
        shown = torch.as_tensor(np.asarray(display(view[None].numpy())), dtype=torch.float32)
        shown = (shown * (low + (high - low) * _chance(generator))).clamp(0, 1)
        if _chance(generator) < self.degraded:
            shown = self._degrade(shown, generator)
        if _chance(generator) < self.screen:
            shown = _with_screen(shown[0], generator)[None]
        return shown[0]

    def _degrade(self, frame: Tensor, generator: Generator) -> Tensor:
        def between(ends: tuple[float, ...]) -> float:
            return ends[0] + (ends[1] - ends[0]) * _chance(generator)

        kind = _whole(generator, 5)
        if kind >= 3:
            frame = blur(frame, gaussian_psf(BLUR_SIZES[_whole(generator, len(BLUR_SIZES))])).clamp(0, 1)
            # Half of the blurred frames get noise too.
            kind = _whole(generator, 6)
        if kind == 0:
            return gaussian_noise(frame, between(self.sigma), generator)
        if kind == 1:
            return fourier_noise(frame, between(self.g), generator)
        if kind == 2:
            return rayleigh_speckle(frame, between(self.dynamic_range), generator, between(self.grain))
        return frame


def _chance(generator: Generator) -> float:
    return float(torch.rand((), generator=generator))


def _whole(generator: Generator, below: int) -> int:
    return int(torch.randint(below, (), generator=generator))


def _with_screen(frame: Tensor, generator: Generator) -> Tensor:
    """Draw what screens have around a sector: one or two of a grey bar, tick marks and lines of text."""
    from PIL import Image, ImageDraw, ImageFont

    height, width = frame.shape
    picture = Image.fromarray(np.rint(frame.numpy() * 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(1 + _whole(generator, 2)):
        is_right = bool(_whole(generator, 2))
        grey = 90 + _whole(generator, 160)
        kind = _whole(generator, 3)
        if kind == 0:
            thick = 4 + _whole(generator, 8)
            left = width - thick - 2 if is_right else 2
            top, bottom = (
                height // 8 + _whole(generator, height // 8),
                height // 2 + _whole(generator, height // 3),
            )
            for row in range(top, bottom):
                draw.line((left, row, left + thick, row), fill=round(255 * (bottom - row) / (bottom - top)))
        elif kind == 1:
            every, long = 6 + _whole(generator, 20), 2 + _whole(generator, 5)
            left = width - long - 1 if is_right else 0
            for row in range(_whole(generator, every), height, every):
                draw.line((left, row, left + long, row), fill=grey)
        else:
            font = ImageFont.load_default(size=7 + _whole(generator, 8))
            for line in range(1 + _whole(generator, 4)):
                letters = (LETTERS[_whole(generator, len(LETTERS))] for _ in range(3 + _whole(generator, 12)))
                place = (
                    width // 2 + _whole(generator, width // 3) if is_right else 1 + _whole(generator, 10),
                    (height - 60 if _whole(generator, 2) else 2) + 14 * line,
                )
                draw.text(place, "".join(letters), grey, font)
    return torch.from_numpy(np.asarray(picture).astype(np.float32) / 255)
