"""Drawn phantoms of known truth: points, and edges with a line beside them, at places between pixels.

They are drawn `OVERSAMPLING` times finer and averaged over pixels, then blurred by a Gaussian of standard
deviation sigma_b (arXiv 2601.21856 blurs up to 2.67 pixels) and, where asked, given Gaussian noise. Grey
values are those of a picture: blur acts on what is shown and not on echoes, as in training. A network may
have been trained on drawn shapes too, of random places, sizes and levels; for the real phantoms of the same
table nothing was trained.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

SIDE = 128
OVERSAMPLING = 8
BLURS = (0.5, 1.0, 1.5, 2.0, 2.7)
NOISE = 0.03
NOISY_BLURS = (1.0, 2.0)
REALISATIONS = 2

POINT_RADIUS = 1.0
POINT_PITCH = 26
POINT_REACH = 11
DARK, GREY = 0.05, 0.3

LINE_WIDTH = 1.5
LINE_REACH = 12
LINE_PLACE = 38.0
EDGE_REACH = 16
EDGE_LENGTH = 61
ANGLES = {"vertical": 0.0, "horizontal": 90.0, "oblique": 32.0}
FAINTEST = 0.2
LEVELS = ((0.1, 0.8), (0.25, 0.6), (0.4, 0.5))


@dataclass(frozen=True)
class Measurement:
    """A line across a target, from start to end as (row, column), averaged over `width` parallel lines.

    kind: "point", "line" or "edge".
    """

    kind: str
    start: tuple[float, float]
    end: tuple[float, float]
    width: int = 1


@dataclass(frozen=True, eq=False)
class Phantom:
    """A drawn phantom, float32 [H, W] in [0, 1], and where it is measured; `name` is unique.

    faint: noise of `NOISE` covers its targets so far that their width cannot be measured.
    """

    name: str
    pixels: np.ndarray
    measurements: tuple[Measurement, ...]
    faint: bool = False


@dataclass(frozen=True)
class Blurring:
    """A condition of the table: standard deviations of blur in pixels and of noise in grey values."""

    sigma: float
    noise: float

    @property
    def name(self) -> str:
        """Such as "blur 1.5" or "blur 1.0 noise 0.03"."""
        return f"blur {self.sigma:.1f}" + (f" noise {self.noise:.2f}" if self.noise else "")

    def degrade(self, phantom: Phantom, seed: int) -> np.ndarray:
        """Return the phantom blurred and noisy, clipped to [0, 1]; the noise hangs on phantom and seed."""
        frame = _blurred(phantom.pixels.astype(float), self.sigma)
        if self.noise:
            frame = frame + self.noise * _generator(seed, phantom.name).standard_normal(frame.shape)
        return np.clip(frame, 0, 1).astype(np.float32)


CLEAN_CONDITIONS = tuple(Blurring(sigma, 0.0) for sigma in BLURS)
CONDITIONS = CLEAN_CONDITIONS + tuple(Blurring(sigma, NOISE) for sigma in NOISY_BLURS)


def draw_phantoms(seed: int, realisations: int = REALISATIONS) -> list[Phantom]:
    """Return points on dark and on grey ground, and edges of three directions and three contrasts.

    realisations: of the points, at other places between pixels; edges come once.
    """
    phantoms = []
    for index in range(realisations):
        for ground, title in ((DARK, "dark"), (GREY, "grey")):
            phantoms.append(_draw_points(f"points on {title} {index}", ground, seed))
    for direction, degrees in ANGLES.items():
        for low, high in LEVELS:
            name = f"{direction} edge {low:.2f} to {high:.2f}"
            phantoms.append(_draw_edge(name, math.radians(degrees), low, high, seed))
    return phantoms


def _blurred(frame: np.ndarray, sigma: float) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(frame, sigma, mode="nearest") if sigma else frame


def _draw_points(name: str, ground: float, seed: int) -> Phantom:
    generator = _generator(seed, name)
    y, x = _fine_grid()
    scene = np.full((len(y), len(x)), ground)
    measurements = []
    for row in range(POINT_PITCH // 2, SIDE - POINT_PITCH // 2, POINT_PITCH):
        for column in range(POINT_PITCH // 2, SIDE - POINT_PITCH // 2, POINT_PITCH):
            centre = row + generator.uniform(-0.5, 0.5), column + generator.uniform(-0.5, 0.5)
            inside = (y[:, None] - centre[0]) ** 2 + (x - centre[1]) ** 2 < POINT_RADIUS**2
            scene[inside] = generator.uniform(0.6, 1.0)
            # A line along the pixels nearest to the centre needs no interpolation.
            middle = round(centre[0]), round(centre[1])
            measurements += [
                _across("point", np.array(middle), np.array(normal), POINT_REACH, 1)
                for normal in ((0.0, 1.0), (1.0, 0.0))
            ]
    return Phantom(name, _averaged(scene), tuple(measurements))


def _draw_edge(name: str, angle: float, low: float, high: float, seed: int) -> Phantom:
    """An edge through the middle, bright side ahead of `angle`, with a bright line on the dark side."""
    generator = _generator(seed, name)
    centre = SIDE / 2 + generator.uniform(-0.5, 0.5, 2)
    normal = np.array([math.sin(angle), math.cos(angle)])
    y, x = _fine_grid()
    distance = (y[:, None] - centre[0]) * normal[0] + (x - centre[1]) * normal[1]
    scene = np.where(distance > 0, high, low)
    scene[np.abs(distance + LINE_PLACE) < LINE_WIDTH / 2] = high
    measurements = (
        _across("edge", centre, normal, EDGE_REACH, EDGE_LENGTH),
        _across("line", centre - LINE_PLACE * normal, normal, LINE_REACH, EDGE_LENGTH),
    )
    return Phantom(name, _averaged(scene), measurements, faint=high - low < FAINTEST)


def _across(kind: str, centre: np.ndarray, normal: np.ndarray, reach: float, width: int) -> Measurement:
    start, end = centre - reach * normal, centre + reach * normal
    return Measurement(kind, tuple(start.tolist()), tuple(end.tolist()), width)


def _fine_grid() -> tuple[np.ndarray, np.ndarray]:
    """Places of the fine samples in pixels, 0 being the centre of the first pixel."""
    places = (np.arange(SIDE * OVERSAMPLING) + 0.5) / OVERSAMPLING - 0.5
    return places, places


def _averaged(scene: np.ndarray) -> np.ndarray:
    blocks = scene.reshape(SIDE, OVERSAMPLING, SIDE, OVERSAMPLING)
    return blocks.mean(axis=(1, 3)).astype(np.float32)


def _generator(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, *name.encode()])
