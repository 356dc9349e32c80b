from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ellipe

from USEnhanceLib.errors import InputError, MeasurementRefused
from USEnhanceLib.segmentation.circumference import head_circumference
from USEnhanceLib.segmentation.ellipse import Ellipse, fit_ellipse
from USEnhanceLib.segmentation.outline import outline_points
from USEnhanceLib.segmentation.structures import FETAL_HEAD

TILTED = Ellipse((100.0, 40.0), (50.0, 20.0), 30.0)


def filled(ellipse: Ellipse, shape=(256, 256), spacing=(1.0, 1.0)) -> np.ndarray:
    """Return the pixels, bool [H, W], whose centres are in an ellipse in units of the spacing."""
    rows, columns = np.indices(shape)
    return ellipse.level(np.stack([columns * spacing[1], rows * spacing[0]], axis=-1)) <= 1


@pytest.mark.parametrize("angle", [-90.0, -37.0, 0.0, 30.0, 89.0])
def test_the_fit_finds_the_ellipse_that_points_lie_on(angle):
    ellipse = Ellipse((812.0, -30.0), (50.0, 20.0), angle)
    fitted = fit_ellipse(ellipse.outline(40))

    assert fitted.centre == pytest.approx(ellipse.centre)
    assert fitted.semi_axes == pytest.approx(ellipse.semi_axes)
    assert math.cos(math.radians(2 * (fitted.angle - angle))) == pytest.approx(1)
    assert -90 <= fitted.angle < 90


def test_a_third_of_an_ellipse_tells_all_of_it():
    fitted = fit_ellipse(TILTED.outline(90)[10:40])

    assert fitted.semi_axes == pytest.approx(TILTED.semi_axes, rel=1e-6)
    assert fitted.angle == pytest.approx(TILTED.angle, abs=1e-6)


def test_the_fit_to_noisy_points_is_an_ellipse_close_by():
    points = TILTED.outline(200) + np.random.default_rng(0).normal(0, 0.5, (200, 2))
    fitted = fit_ellipse(points)

    assert fitted.centre == pytest.approx(TILTED.centre, abs=0.2)
    assert fitted.semi_axes == pytest.approx(TILTED.semi_axes, abs=0.3)
    assert fitted.angle == pytest.approx(TILTED.angle, abs=0.5)


def test_the_fit_to_an_outline_of_pixels_has_the_size_of_the_structure():
    fitted = fit_ellipse(outline_points(filled(TILTED)))

    assert fitted.centre == pytest.approx(TILTED.centre, abs=0.1)
    assert fitted.semi_axes == pytest.approx(TILTED.semi_axes, abs=0.15)


def test_points_that_tell_no_ellipse_are_refused():
    line = np.stack([np.arange(20.0), 3 + 2 * np.arange(20.0)], axis=1)
    for points in (line, np.ones((20, 2)), TILTED.outline(5), np.full((9, 2), np.nan), np.ones(9)):
        with pytest.raises(InputError):
            fit_ellipse(points)


@pytest.mark.parametrize("point", [(200.0, 10.0), (100.0, -40.0), (20.0, 90.0), (99.0, 2000.0)])
def test_tangents_touch_the_ellipse_and_do_not_cross_it(point):
    for touched in TILTED.tangent_points(point):
        assert TILTED.level(np.array(touched)) == pytest.approx(1)
        along = np.linspace(-3, 3, 601)[:, None]
        ray = np.array(point) + (1 + along) * (np.array(touched) - point)
        assert TILTED.level(ray).min() >= 1 - 1e-9
    first, second = TILTED.tangent_points(point)
    assert math.dist(first, second) > 10


def test_tangents_to_a_circle_have_their_known_angle():
    circle = Ellipse((0.0, 0.0), (3.0, 3.0), 0.0)
    first, second = circle.tangent_points((5.0, 0.0))

    assert sorted([first[1], second[1]]) == pytest.approx([-2.4, 2.4])
    assert first[0] == second[0] == pytest.approx(1.8)


@pytest.mark.parametrize("point", [(100.0, 40.0), TILTED.axis_ends[0], (110.0, 45.0)])
def test_no_tangent_from_within(point):
    inside = np.array(TILTED.centre) + 0.999 * (np.array(point) - TILTED.centre)
    with pytest.raises(InputError):
        TILTED.tangent_points(inside)


def test_points_of_the_interior_stand_for_equal_areas():
    points = TILTED.interior()

    assert TILTED.level(points).max() < 1
    assert points.mean(axis=0) == pytest.approx(TILTED.centre)
    assert (TILTED.level(points) < math.sqrt(0.5)).mean() == pytest.approx(0.5)


def test_ends_of_the_long_axis():
    first, second = TILTED.axis_ends

    assert first[0] < second[0]
    assert math.dist(first, second) == pytest.approx(100)
    assert math.degrees(math.atan2(second[1] - first[1], second[0] - first[0])) == pytest.approx(30)


@pytest.mark.parametrize("ratio", [1.0, 1.3, 3.0])
def test_perimeter_is_that_of_the_elliptic_integral(ratio):
    ellipse = Ellipse((0.0, 0.0), (ratio * 50, 50.0), 12.0)

    assert ellipse.perimeter == pytest.approx(4 * ratio * 50 * ellipe(1 - 1 / ratio**2), rel=1e-6)
    assert ellipse.axis_ratio == pytest.approx(ratio)


@pytest.mark.parametrize("spacing", [(0.4, 0.4), (0.3, 0.6)])
def test_head_circumference_in_millimetres(spacing):
    head = Ellipse((38.0, 40.0), (26.0, 20.0), 25.0)
    labels = FETAL_HEAD.label * filled(head, spacing=spacing).astype(np.uint8)

    assert head_circumference(labels, spacing) == pytest.approx(head.perimeter, rel=0.005)
    assert head_circumference(labels[None, :, ::-1], spacing) == pytest.approx(head.perimeter, rel=0.005)


def test_a_head_that_the_sector_cuts_a_little_keeps_its_circumference():
    head = Ellipse((100.0, 120.0), (70.0, 55.0), 70.0)
    sector = np.indices((256, 256))[1] > 55
    labels = FETAL_HEAD.label * (filled(head) & sector).astype(np.uint8)

    assert head_circumference(labels, (1, 1), sector) == pytest.approx(head.perimeter, rel=0.02)


def test_head_circumference_is_refused_without_calibration_or_head():
    labels = FETAL_HEAD.label * filled(Ellipse((100.0, 120.0), (70.0, 55.0), 70.0)).astype(np.uint8)

    with pytest.raises(MeasurementRefused, match="spacing"):
        head_circumference(labels, None)
    with pytest.raises(MeasurementRefused, match="missing"):
        head_circumference(np.zeros_like(labels), (1, 1))
    with pytest.raises(MeasurementRefused, match="cut"):
        head_circumference(labels[:, :100], (1, 1))
    with pytest.raises(InputError):
        head_circumference(labels, (0, 1))


def test_circumference_of_drawn_heads(data_folder):
    from PIL import Image

    paths = sorted((data_folder / "hc18" / "label").glob("*.png"))[::60]
    for path in paths:
        labels = np.pad(np.array(Image.open(path)), 40)
        circumference = head_circumference(labels, (1, 1))
        # Of all outlines around an area, the circle is the shortest.
        area = (labels == FETAL_HEAD.label).sum()
        assert 0.998 <= circumference / math.sqrt(4 * math.pi * area) < 1.1
    assert len(paths) >= 10
