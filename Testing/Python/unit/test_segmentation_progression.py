from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, binary_erosion

from USEnhanceLib.errors import InputError, USEnhanceError
from USEnhanceLib.segmentation import MeasurementRefused, Progression, angle_of_progression
from USEnhanceLib.segmentation.ellipse import Ellipse
from USEnhanceLib.segmentation.orientation import Judgement
from USEnhanceLib.segmentation.progression import angle_between, judge_inferior_side

SYMPHYSIS = Ellipse((85.0, 50.0), (30.0, 15.0), -12.0)
HEAD = Ellipse((110.0, 145.0), (65.0, 50.0), 80.0)


def drawn(symphysis=SYMPHYSIS, head=HEAD, shape=(256, 256), spacing=(1.0, 1.0)) -> np.ndarray:
    """Return a label map with two ellipses, which are in units of the spacing; None leaves one out."""
    rows, columns = np.indices(shape)
    places = np.stack([columns * spacing[1], rows * spacing[0]], axis=-1)
    labels = np.zeros(shape, dtype=np.uint8)
    for label, ellipse in ((2, head), (1, symphysis)):
        if ellipse is not None:
            labels[ellipse.level(places) <= 1] = label
    return labels


def largest_angle(superior, inferior, head: Ellipse) -> float:
    """Return the largest angle between the axis and a ray to the head, from many points on the head."""
    axis = np.subtract(superior, inferior)
    rays = head.outline(20_000) - inferior
    cosine = rays @ axis / np.hypot(*axis) / np.hypot(*rays.T)
    return float(np.degrees(np.arccos(cosine)).max())


def rotated(ellipse: Ellipse, degrees: float, centre=(128.0, 128.0)) -> Ellipse:
    """Return an ellipse turned about a point, clockwise on the screen."""
    turn = np.radians(degrees)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = matrix @ np.subtract(ellipse.centre, centre) + centre
    return Ellipse((moved[0], moved[1]), ellipse.semi_axes, (ellipse.angle + degrees + 90) % 180 - 90)


def refusal(labels, *arguments, **options) -> str:
    """Return the reason for which there is no angle, after a look at its form."""
    with pytest.raises(MeasurementRefused) as caught:
        angle_of_progression(labels, *arguments, **options)
    reason = str(caught.value)
    assert isinstance(caught.value, USEnhanceError)
    assert isinstance(caught.value, ValueError)
    assert reason.endswith(".")
    assert reason.count(". ") == 0
    return reason


def test_angle_of_a_scene_with_a_right_angle():
    # The symphysis lies level with its inferior end at (100, 60), and the head is a circle whose right side
    # is at x = 100, so that the tangent drops straight down.
    labels = drawn(Ellipse((70.0, 60.0), (30.0, 14.0), 0.0), Ellipse((45.0, 160.0), (55.0, 55.0), 0.0))
    progression = angle_of_progression(labels, inferior_side="right")

    assert float(progression) == progression.degrees == pytest.approx(90, abs=0.5)
    assert progression.inferior == pytest.approx((100, 60), abs=0.5)
    assert progression.superior == pytest.approx((40, 60), abs=0.5)
    assert progression.tangent == pytest.approx((100, 160), abs=1.5)


@pytest.mark.parametrize("across", [85.0, 110.0, 140.0, 160.0])
@pytest.mark.parametrize("tilt", [-35.0, -12.0, 10.0])
def test_angle_is_the_largest_to_the_head(across, tilt):
    symphysis = Ellipse((80.0, 50.0), (30.0, 15.0), tilt)
    head = Ellipse((across, 160.0), (65.0, 50.0), 80.0)
    progression = angle_of_progression(drawn(symphysis, head), inferior_side="right")

    assert progression.degrees == pytest.approx(largest_angle(*symphysis.axis_ends, head), abs=0.7)
    assert progression.inferior == pytest.approx(symphysis.axis_ends[1], abs=0.7)
    assert head.level(np.array(progression.tangent)) == pytest.approx(1, abs=0.02)
    three = (progression.superior, progression.inferior, progression.tangent)
    assert angle_between(*three) == pytest.approx(progression.degrees)


def test_a_mirrored_display_gives_the_same_angle_and_mirrored_points():
    labels = drawn()
    plain, mirrored = angle_of_progression(labels), angle_of_progression(labels[:, ::-1])

    assert (plain.inferior_side, mirrored.inferior_side) == ("right", "left")
    assert mirrored.degrees == pytest.approx(plain.degrees)
    for name in ("superior", "inferior", "tangent"):
        x, y = getattr(plain, name)
        assert getattr(mirrored, name) == pytest.approx((255 - x, y))
    assert plain.notes == mirrored.notes == ()


def test_the_given_side_wins_over_the_judged_one():
    labels = drawn()

    assert angle_of_progression(labels, inferior_side="left").inferior[0] < SYMPHYSIS.centre[0]
    with pytest.raises(InputError, match="side"):
        angle_of_progression(labels, inferior_side="up")


def test_a_symmetric_scene_is_noted():
    labels = drawn(Ellipse((127.5, 50.0), (30.0, 15.0), 0.0), Ellipse((127.5, 150.0), (60.0, 50.0), 90.0))
    left, right = (angle_of_progression(labels, inferior_side=side) for side in ("left", "right"))

    assert left.degrees == pytest.approx(right.degrees)
    assert len(angle_of_progression(labels).notes) == 1
    assert left.notes == right.notes == ()


@pytest.mark.parametrize("degrees", [-25, 20, 90])
def test_a_turned_scene_gives_the_same_angle(degrees):
    turned = drawn(rotated(SYMPHYSIS, degrees), rotated(HEAD, degrees))
    upright = angle_of_progression(drawn(), inferior_side="right")
    # Turned upright, the end of larger x may be the other one.
    side = "right" if abs(SYMPHYSIS.angle + degrees) < 90 else "left"

    assert angle_of_progression(turned, inferior_side=side).degrees == pytest.approx(upright.degrees, abs=0.7)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 1.0), (0.6, 0.35)])
def test_the_form_of_the_pixels_counts_and_their_size_does_not(spacing):
    shape = tuple(int(256 / value) for value in spacing)
    labels = drawn(shape=shape, spacing=spacing)
    expected = largest_angle(*SYMPHYSIS.axis_ends, HEAD)
    progression = angle_of_progression(labels, spacing=spacing)

    assert progression.degrees == pytest.approx(expected, abs=0.7)
    assert progression.head.semi_axes == pytest.approx(HEAD.semi_axes, rel=0.01)
    assert np.multiply(progression.inferior, spacing[::-1]) == pytest.approx(SYMPHYSIS.axis_ends[1], abs=0.7)
    three = (progression.superior, progression.inferior, progression.tangent)
    assert angle_between(*three, spacing) == pytest.approx(progression.degrees)
    tenfold = angle_of_progression(labels, spacing=[10 * value for value in spacing])
    assert tenfold.degrees == pytest.approx(progression.degrees)
    assert tenfold.inferior == pytest.approx(progression.inferior)


def test_angle_between_known_points():
    assert angle_between((0, 0), (10, 0), (10, 5)) == pytest.approx(90)
    assert angle_between((0, 0), (10, 0), (20, 0)) == pytest.approx(180)
    assert angle_between((0, 0), (10, 0), (20, 10), (1.0, 1.0)) == pytest.approx(135)
    assert angle_between((0, 0), (10, 0), (20, 10), (1.0, 2.0)) == pytest.approx(
        180 - math.degrees(math.atan(0.5))
    )
    with pytest.raises(InputError, match="apart"):
        angle_between((0, 0), (0, 0), (1, 1))


def test_a_frame_of_a_stack_and_a_small_second_part_are_taken():
    labels = drawn()
    expected = angle_of_progression(labels).degrees
    speck = labels.copy()
    speck[5:10, 230:240] = 1

    assert isinstance(angle_of_progression(labels[None]), Progression)
    assert angle_of_progression(labels[None]).degrees == expected
    assert angle_of_progression(speck).degrees == expected


def test_missing_small_and_divided_structures_are_refused():
    several = drawn()
    several[20:60, 180:220] = 1

    assert "symphysis is missing" in refusal(drawn(symphysis=None))
    assert "head is missing" in refusal(drawn(head=None))
    assert "symphysis is too small" in refusal(drawn(Ellipse((85.0, 50.0), (5.0, 2.0), 0.0)))
    assert "symphysis has several parts" in refusal(several)


def test_a_symphysis_cut_by_frame_or_sector_is_refused():
    sector = np.indices((256, 256))[1] > 80
    labels = drawn()

    assert "symphysis is cut" in refusal(labels * sector, sector)
    assert "symphysis is cut" in refusal(labels[:, 80:], inferior_side="right")
    # One that is drawn on beyond the sector, as annotators do, is whole.
    narrow = np.indices((256, 256))[1] > 60
    assert angle_of_progression(labels, narrow).degrees == pytest.approx(
        angle_of_progression(labels, inferior_side="right").degrees, abs=0.5
    )


def test_a_head_cut_below_keeps_its_angle_and_one_cut_in_half_is_refused():
    labels = drawn()
    expected = angle_of_progression(labels, inferior_side="right").degrees

    assert angle_of_progression(labels[:195], inferior_side="right").degrees == pytest.approx(expected, abs=1)
    assert "head is cut" in refusal(labels[:110], inferior_side="right")


def test_a_tangent_outside_of_the_sector_is_refused():
    sector = np.indices((256, 256))[1] < 128

    assert "outside of the scan sector" in refusal(drawn(), sector, inferior_side="right")
    assert angle_of_progression(drawn(), np.indices((256, 256))[1] < 156, inferior_side="right").degrees > 0


def test_a_tangent_outside_of_the_frame_is_refused():
    labels = drawn()[:, :145]

    assert "outside of the frame" in refusal(labels, inferior_side="right")


@pytest.mark.parametrize(
    ("symphysis", "head", "reason"),
    [
        (Ellipse((85.0, 50.0), (20.0, 19.0), 0.0), HEAD, "too round"),
        (Ellipse((85.0, 50.0), (60.0, 8.0), 0.0), HEAD, "symphysis is implausibly long"),
        (SYMPHYSIS, Ellipse((120.0, 150.0), (90.0, 30.0), 10.0), "head is implausibly long"),
        (SYMPHYSIS, Ellipse((110.0, 145.0), (25.0, 20.0), 0.0), "head is implausibly small"),
        (Ellipse((100.0, 90.0), (30.0, 15.0), 20.0), HEAD, "covers"),
        (SYMPHYSIS, Ellipse((185.0, 70.0), (65.0, 50.0), 90.0), "more than 180"),
        (
            Ellipse((160.0, 50.0), (30.0, 15.0), 15.0),
            Ellipse((40.0, 135.0), (30.0, 25.0), 0.0),
            "implausibly small",
        ),
    ],
)
def test_implausible_scenes_are_refused(symphysis, head, reason):
    assert reason in refusal(drawn(symphysis, head), inferior_side="right")


def test_what_is_no_ellipse_is_refused():
    labels = drawn(head=None)
    labels[100:220, 40:70] = 2
    labels[190:220, 40:200] = 2

    assert "form of an ellipse" in refusal(labels, inferior_side="right")


def test_arrays_and_spacings_that_are_none_are_errors():
    labels = drawn()
    for wrong in (np.stack([labels, labels]), labels / 2, np.zeros(5, dtype=np.uint8)):
        with pytest.raises(InputError):
            angle_of_progression(wrong)
    with pytest.raises(InputError, match="sector"):
        angle_of_progression(labels, np.ones((5, 5), dtype=bool))
    for spacing in ((1.0,), (1.0, -1.0), (1.0, math.nan)):
        with pytest.raises(InputError, match="spacing"):
            angle_of_progression(labels, spacing=spacing)


def test_frames_of_a_cine_are_judged_together():
    unsure = drawn(Ellipse((154.0, 45.0), (30.0, 15.0), 15.0))
    cine = np.stack([drawn(), unsure, np.zeros_like(unsure), drawn()])

    assert angle_of_progression(unsure).inferior_side == "left"
    assert judge_inferior_side(cine).inferior_side == "right"
    assert judge_inferior_side(cine[:, :, ::-1]).inferior_side == "left"
    assert judge_inferior_side(cine[2:3]) == Judgement(None)
    assert judge_inferior_side(cine).notes == ()
    assert "at the left" in judge_inferior_side(unsure[None]).notes[0]
    assert judge_inferior_side(unsure[None]).notes == angle_of_progression(unsure).notes


@pytest.fixture(scope="module")
def real_labels(data_folder: Path) -> list[np.ndarray]:
    """Every twelfth label of PSFHS."""
    from PIL import Image

    with (data_folder / "psfhs" / "split.csv").open(newline="") as rows:
        names = [row["id"] for row in csv.DictReader(rows)][::12]
    return [np.array(Image.open(data_folder / "psfhs" / "label" / f"{name}.png")) for name in names]


def degrees_or_nan(labels: np.ndarray, side: str | None = "right") -> float:
    try:
        return float(angle_of_progression(labels, inferior_side=side))
    except MeasurementRefused:
        return math.nan


def test_the_angle_is_read_on_nearly_every_real_label(real_labels):
    angles = np.array([degrees_or_nan(labels) for labels in real_labels])
    mirrored = np.array([degrees_or_nan(labels[:, ::-1], "left") for labels in real_labels])

    assert np.isfinite(angles).mean() > 0.95
    assert 95 < np.nanmedian(angles) < 120
    assert mirrored == pytest.approx(angles, abs=1e-6, nan_ok=True)


def test_the_inferior_end_of_real_labels_is_mostly_judged_right(real_labels):
    seen = [
        angle_of_progression(labels) for labels in real_labels if math.isfinite(degrees_or_nan(labels, None))
    ]

    assert np.mean([progression.inferior_side == "right" for progression in seen]) > 0.97


def test_most_mirrored_labels_are_judged_to_be_mirrored(real_labels):
    seen = [
        angle_of_progression(labels[:, ::-1])
        for labels in real_labels
        if math.isfinite(degrees_or_nan(labels[:, ::-1], None))
    ]

    assert np.mean([progression.inferior_side == "left" for progression in seen]) > 0.65


@pytest.mark.parametrize("change", [binary_erosion, binary_dilation])
def test_a_pixel_more_or_less_hardly_turns_the_angle(real_labels, change):
    differences = []
    for labels in real_labels:
        changed = np.zeros_like(labels)
        for label in (2, 1):
            changed[change(labels == label)] = label
        differences.append(abs(degrees_or_nan(changed) - degrees_or_nan(labels)))

    assert np.nanmean(differences) < 0.5
    assert np.nanmax(differences) < 2
