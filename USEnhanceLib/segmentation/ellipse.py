"""Ellipses: the fit to points of an outline, tangents from a point, the ends of the long axis, the perimeter.

Coordinates are (x, y), x to the right and y down as in images, in pixels or in millimetres.
Sources: R. Halir, J. Flusser, Numerically stable direct least squares fitting of ellipses, WSCG 1998;
S. Ramanujan, Modular equations and approximations to pi, Quart. J. Math. 45, 1914 (perimeter).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError

Point = tuple[float, float]


@dataclass(frozen=True)
class Ellipse:
    """An ellipse.

    centre: (x, y).  semi_axes: (long, short), in the unit of the centre.  angle: degrees from the x axis to
    the long axis, towards y (clockwise on the screen), in [-90, 90).
    """

    centre: Point
    semi_axes: Point
    angle: float

    @property
    def axis_ends(self) -> tuple[Point, Point]:
        """The two ends of the long axis; the first has the smaller x (the smaller y on an upright axis)."""
        along = self.semi_axes[0] * self._directions()[0]
        return _point(self.centre - along), _point(self.centre + along)

    @property
    def axis_ratio(self) -> float:
        """Long axis / short axis, 1 for a circle."""
        return self.semi_axes[0] / self.semi_axes[1]

    @property
    def area(self) -> float:
        """The area, in the square of the unit of the axes."""
        return float(np.pi * self.semi_axes[0] * self.semi_axes[1])

    @property
    def perimeter(self) -> float:
        """The perimeter after Ramanujan's second formula, exact to 1e-6 up to an axis ratio of 3."""
        long, short = self.semi_axes
        h = ((long - short) / (long + short)) ** 2
        return float(np.pi * (long + short) * (1 + 3 * h / (10 + np.sqrt(4 - 3 * h))))

    def level(self, points: np.ndarray) -> np.ndarray:
        """Return where `points`, float [..., 2], lie: below 1 inside, 1 on the ellipse, above 1 outside.

        The value is the factor by which the ellipse would have to grow about its centre to reach the point.
        """
        return np.hypot(*np.moveaxis(self._to_circle(np.asarray(points, dtype=float)), -1, 0))

    def outline(self, count: int = 90) -> np.ndarray:
        """Return `count` points on the ellipse, float [count, 2], in order."""
        return self._from_circle(np.linspace(0, 2 * np.pi, count, endpoint=False))

    def interior(self, rings: int = 12, count: int = 72) -> np.ndarray:
        """Return points in the ellipse, float [rings * count, 2], each of which stands for the same area."""
        radii = np.sqrt((np.arange(rings) + 0.5) / rings)
        return (self.centre + radii[:, None, None] * (self.outline(count) - self.centre)).reshape(-1, 2)

    def tangent_points(self, point: Sequence[float]) -> tuple[Point, Point]:
        """Return the two points at which the tangents from `point` (x, y) touch the ellipse.

        Raises InputError where the point is not outside of the ellipse, so that there are no tangents.
        """
        x, y = self._to_circle(np.asarray(point, dtype=float))
        distance = float(np.hypot(x, y))
        if not distance > 1:
            raise InputError("No tangent can be drawn from a point on or in the ellipse: take one outside.")
        direction, half = np.arctan2(y, x), np.arccos(1 / distance)
        first, second = self._from_circle(np.array([direction - half, direction + half]))
        return _point(first), _point(second)

    def _directions(self) -> np.ndarray:
        """Return the unit vectors along the long and the short axis, [2, 2]."""
        cosine, sine = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        return np.array([[cosine, sine], [-sine, cosine]])

    def _to_circle(self, points: np.ndarray) -> np.ndarray:
        """Return points, [..., 2], in the coordinates in which the ellipse is the unit circle."""
        return (points - self.centre) @ self._directions().T / self.semi_axes

    def _from_circle(self, angles: np.ndarray) -> np.ndarray:
        """Return the points of the ellipse, [..., 2], at angles in radians on the unit circle."""
        circle = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        return self.centre + (circle * self.semi_axes) @ self._directions()


def fit_ellipse(points: np.ndarray) -> Ellipse:
    """Return the ellipse of least algebraic distance to `points`, float [M, 2], by direct least squares.

    The fit is always an ellipse, whatever part of it the points show. Raises InputError where there are
    fewer than six points, or where they lie on a line.
    """
    points = np.asarray(points, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 6 or not np.isfinite(points).all():
        raise InputError("An ellipse needs six points (x, y) or more: give a longer outline.")
    middle = points.mean(axis=0)
    scale = float(np.sqrt(((points - middle) ** 2).sum(axis=1).mean() / 2))
    spread = np.linalg.svd(points - middle, compute_uv=False)
    if spread[1] <= 1e-9 * spread[0] or scale == 0:
        raise InputError("An ellipse cannot be fitted to points on a line: give the whole outline.")
    centre, axes, directions = _principal(_conic((points - middle) / scale))
    angle = float(np.degrees(np.arctan2(directions[1, 0], directions[0, 0])))
    return Ellipse(_point(centre * scale + middle), _point(axes * scale), (angle + 90) % 180 - 90)


def ellipse_of_area(points: np.ndarray) -> Ellipse:
    """Return the ellipse whose area has the centre and the second moments of `points`, float [M, 2].

    The points fill the area evenly, as the centres of pixels do. A bump of the outline turns it less than it
    turns `fit_ellipse`, but all of the area must be seen (R. M. Haralick, L. G. Shapiro, Computer and Robot
    Vision I, 1992, appendix A). Raises InputError as `fit_ellipse` does.
    """
    points = np.asarray(points, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 6 or not np.isfinite(points).all():
        raise InputError("An ellipse needs six points (x, y) or more: give a larger area.")
    variances, directions = np.linalg.eigh(np.cov(points.T, bias=True))
    if variances[0] <= 1e-9 * variances[1]:
        raise InputError("Points on a line have no area: give those of a whole structure.")
    along = directions[:, 1]
    angle = float(np.degrees(np.arctan2(along[1], along[0])))
    axes = 2 * np.sqrt(variances[::-1])
    return Ellipse(_point(points.mean(axis=0)), _point(axes), (angle + 90) % 180 - 90)


def _conic(points: np.ndarray) -> np.ndarray:
    """Return a [6] of a0 xx + a1 xy + a2 yy + a3 x + a4 y + a5 = 0, an ellipse, after Halir, Flusser."""
    x, y = points.T
    quadratic = np.stack([x * x, x * y, y * y], axis=1)
    linear = np.stack([x, y, np.ones_like(x)], axis=1)
    mixed = quadratic.T @ linear
    reduction = -np.linalg.solve(linear.T @ linear, mixed.T)
    scatter = quadratic.T @ quadratic + mixed @ reduction
    # The inverse of the constraint [[0, 0, 2], [0, -1, 0], [2, 0, 0]] times the reduced scatter matrix.
    vectors = np.linalg.eig(np.stack([scatter[2] / 2, -scatter[1], scatter[0] / 2]))[1].real
    first = vectors[:, np.argmax(4 * vectors[0] * vectors[2] - vectors[1] ** 2)]
    conic = np.concatenate([first, reduction @ first])
    if not 4 * conic[0] * conic[2] - conic[1] ** 2 > 0:
        raise InputError("No ellipse fits these points: give the whole outline.")
    return conic


def _principal(conic: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return centre [2], semi-axes (long, short) [2] and their directions, the columns of [2, 2]."""
    a, b, c, d, e, f = conic
    form = np.array([[a, b / 2], [b / 2, c]])
    centre = np.linalg.solve(-2 * form, [d, e])
    level = -(f + (d * centre[0] + e * centre[1]) / 2)
    values, directions = np.linalg.eigh(form)
    squares = level / values
    if not (squares > 0).all():
        raise InputError("No ellipse fits these points: give the whole outline.")
    order = np.argsort(-squares)
    return centre, np.sqrt(squares[order]), directions[:, order]


def _point(values: np.ndarray) -> Point:
    return float(values[0]), float(values[1])
