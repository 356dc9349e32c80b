from __future__ import annotations

import json
import math

import numpy as np
import pytest

from USEnhanceLib.errors import InputError
from USEnhanceLib.segmentation import angle_of_progression, dice
from USEnhanceLib.segmentation.comparison import AgreementRow, ReferenceRow, compare
from USEnhanceLib.segmentation.ellipse import Ellipse
from USEnhanceLib.segmentation.overlap import surface_distances


def scene(shift: float = 0.0) -> np.ndarray:
    """Return labels [H, W] of a symphysis and a head that lies `shift` pixels further right."""
    rows, columns = np.indices((200, 220))
    places = np.stack([columns, rows], axis=-1)
    labels = np.zeros((200, 220), dtype=np.uint8)
    labels[Ellipse((100.0 + shift, 125.0), (60.0, 48.0), 80.0).level(places) <= 1] = 2
    labels[Ellipse((75.0, 40.0), (28.0, 14.0), -12.0).level(places) <= 1] = 1
    return labels


@pytest.fixture
def stacks() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels of original, enhanced and reference, in three frames; the last original has no symphysis."""
    original, enhanced = np.stack([scene(4), scene(6), scene(8)]), np.stack([scene(1), scene(2), scene(2)])
    original[2][original[2] == 1] = 0
    return original, enhanced, np.stack([scene()] * 3)


def test_rows_against_a_reference(stacks):
    original, enhanced, reference = stacks
    comparison = compare(*stacks, spacing=(0.5, 0.25))

    assert comparison.has_reference
    assert comparison.unit == "mm"
    assert [(row.frame, row.structure) for row in comparison.rows] == [
        (frame, name) for frame in range(3) for name in ("Pubic symphysis", "Fetal head")
    ]
    head = comparison.rows[3]
    assert isinstance(head, ReferenceRow)
    assert head.dice_original == dice(original[1], reference[1], 2)
    assert head.dice_enhanced == dice(enhanced[1], reference[1], 2) > head.dice_original
    distances = surface_distances(enhanced[1], reference[1], 2, (0.5, 0.25))
    assert (head.hd95_enhanced, head.asd_enhanced) == (distances.hausdorff95, distances.average)
    assert head.hd95_original > head.hd95_enhanced > 0
    assert head.area_reference == 0.125 * (reference[1] == 2).sum()


def test_an_unsure_side_is_noted_unless_it_is_given(stacks):
    rows, columns = np.indices((200, 220))
    places = np.stack([columns, rows], axis=-1)
    symmetric = np.zeros((1, 200, 220), dtype=np.uint8)
    symmetric[0, Ellipse((109.5, 125.0), (60.0, 48.0), 0.0).level(places) <= 1] = 2
    symmetric[0, Ellipse((109.5, 40.0), (28.0, 14.0), 0.0).level(places) <= 1] = 1

    unsure = compare(symmetric, symmetric)
    assert "at the right" in unsure.notes[0]
    assert unsure.to_json()["notes"] == list(unsure.notes)
    assert compare(symmetric, symmetric, inferior_side="right").notes == ()
    assert compare(*stacks).notes == ()


def test_a_missing_structure_is_no_overlap_and_an_unknown_distance(stacks):
    comparison = compare(*stacks)
    row = comparison.rows[4]

    assert row.dice_original == row.area_original == 0
    assert math.isnan(row.hd95_original)
    assert math.isnan(row.asd_original)
    assert row.dice_enhanced == 1
    assert row.unit == "pixels"


def test_without_reference_there_is_only_agreement(stacks):
    original, enhanced, _ = stacks
    comparison = compare(original, enhanced)
    row = comparison.rows[1]

    assert not comparison.has_reference
    assert isinstance(row, AgreementRow)
    assert row.agreement_dice == dice(original[0], enhanced[0], 2)
    assert row.area_enhanced == (enhanced[0] == 2).sum()
    figures = set(comparison.means()["Fetal head"])
    assert figures == {"agreement_dice", "agreement_hd95", "agreement_asd", "area_original", "area_enhanced"}
    assert "dice_" not in json.dumps(comparison.to_json())


def test_angles_or_the_reasons_why_there_are_none(stacks):
    original, _, reference = stacks
    comparison = compare(*stacks)
    first, _, last = comparison.progression

    assert first.degrees_original == angle_of_progression(original[0]).degrees
    assert first.degrees_original > first.degrees_enhanced > first.degrees_reference
    assert first.degrees_reference == angle_of_progression(reference[0]).degrees
    assert first.reason_original == first.reason_enhanced == first.reason_reference == ""
    assert math.isnan(last.degrees_original)
    assert "symphysis is missing" in last.reason_original
    assert math.isnan(compare(*stacks[:2]).progression[0].degrees_reference)


def test_the_side_is_one_for_all_frames(stacks):
    mirrored = compare(*(labels[:, :, ::-1] for labels in stacks))

    assert (compare(*stacks).inferior_side, mirrored.inferior_side) == ("right", "left")
    assert mirrored.progression[0].degrees_original == pytest.approx(
        compare(*stacks).progression[0].degrees_original
    )
    assert compare(*stacks, inferior_side="left").inferior_side == "left"
    assert compare(*(np.zeros_like(labels) for labels in stacks)).inferior_side is None


def test_means_leave_out_what_is_unknown(stacks):
    comparison = compare(*stacks)
    means = comparison.means()["Pubic symphysis"]

    assert means["dice_original"] == pytest.approx(2 / 3)
    assert means["hd95_original"] == 0
    empty = np.zeros_like(stacks[0])
    assert math.isnan(compare(empty, empty).means()["Fetal head"]["agreement_dice"])


def test_the_record_is_strict_json_without_pixels(stacks):
    comparison = compare(*stacks)
    record = json.loads(json.dumps(comparison.to_json(), allow_nan=False))

    assert record["rows"][4]["hd95_original"] is None
    assert record["progression"][2]["degrees_original"] is None
    assert record["means"]["Fetal head"]["dice_enhanced"] == comparison.means()["Fetal head"]["dice_enhanced"]
    assert len(record["rows"]) == 6
    assert len(json.dumps(record)) < 5000


def test_single_frames_and_sectors(stacks):
    original, enhanced, _ = stacks
    sector = np.indices(original.shape[1:])[1] > 70

    assert len(compare(original[0], enhanced[0]).rows) == 2
    cut = compare(original[0] * sector, enhanced[0] * sector, sector=sector)
    assert "cut" in cut.progression[0].reason_original


def test_labels_that_do_not_fit_are_errors(stacks):
    original, enhanced, reference = stacks
    for arguments in (
        (original, enhanced[:2]),
        (original, enhanced, reference[:, :50]),
        (original / 2, enhanced / 2),
        (original[:, :, :, None], enhanced[:, :, :, None]),
    ):
        with pytest.raises(InputError):
            compare(*arguments)
    with pytest.raises(InputError, match="spacing"):
        compare(original, enhanced, spacing=(1.0, 0.0))
