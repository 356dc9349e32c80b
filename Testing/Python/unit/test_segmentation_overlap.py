from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import binary_erosion, gaussian_filter

from USEnhanceLib.errors import InputError
from USEnhanceLib.segmentation import dice
from USEnhanceLib.segmentation.overlap import surface_distances


@pytest.fixture
def blobs() -> tuple[np.ndarray, np.ndarray]:
    """Two label maps of one frame with irregular structures, some of them at the border."""
    generator = np.random.default_rng(3)
    field = gaussian_filter(generator.standard_normal((60, 70)), 6)
    noise = gaussian_filter(generator.standard_normal((60, 70)), 2)

    def cut(image: np.ndarray) -> np.ndarray:
        return (image > 0.01).astype(np.uint8) + (image > 0.05)

    return cut(field), cut(field + 0.1 * noise)


def brute_force(first: np.ndarray, second: np.ndarray, spacing) -> tuple[float, float]:
    """Return HD95 and ASD from the distances of all pairs of outline pixels."""
    edges = [np.argwhere(mask & ~binary_erosion(mask)) * np.array(spacing) for mask in (first, second)]
    pairs = np.hypot(*(edges[0][:, None] - edges[1][None]).transpose(2, 0, 1))
    there, back = pairs.min(axis=1), pairs.min(axis=0)
    return max(np.percentile(there, 95), np.percentile(back, 95)), np.concatenate([there, back]).mean()


def test_dice_of_known_overlap():
    first, second = np.zeros((4, 10), dtype=bool), np.zeros((4, 10), dtype=bool)
    first[:, :6], second[:, 3:] = True, True

    assert dice(first, second) == pytest.approx(2 * 12 / (24 + 28))
    assert dice(first, first) == 1
    assert dice(first, ~first) == 0
    assert math.isnan(dice(first & ~first, first & ~first))


def test_dice_of_label_maps(blobs):
    first, second = blobs
    both = dice(first, second)

    assert set(both) == {1, 2}
    for label in (1, 2):
        assert both[label] == dice(first, second, label) == dice(first == label, second == label)
        assert 0 < both[label] < 1
    assert math.isnan(dice(first, second, 7))
    assert dice(np.stack([first, first]), np.stack([first, second]), 1) > both[1]


def test_dice_refuses_what_does_not_fit(blobs):
    with pytest.raises(InputError, match="size"):
        dice(blobs[0], blobs[1][1:])
    with pytest.raises(InputError):
        dice(blobs[0] / 2, blobs[1] / 2)


@pytest.mark.parametrize("spacing", [None, (1.0, 1.0), (0.3, 0.8)])
@pytest.mark.parametrize("label", [1, 2])
def test_distances_are_those_of_all_pairs(blobs, label, spacing):
    distances = surface_distances(*blobs, label, spacing)
    expected = brute_force(*(labels == label for labels in blobs), spacing or (1, 1))

    assert (distances.hausdorff95, distances.average) == pytest.approx(expected)
    assert distances.unit == ("pixels" if spacing is None else "mm")
    assert surface_distances(*blobs[::-1], label, spacing) == distances


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.3, 0.8)])
def test_distances_and_dice_are_those_of_monai(blobs, spacing):
    monai = pytest.importorskip("monai.metrics")
    import torch

    hot = [torch.stack([torch.as_tensor(labels == k) for k in (0, 1, 2)])[None].float() for labels in blobs]
    hausdorff = monai.compute_hausdorff_distance(*hot, percentile=95, spacing=list(spacing))[0]
    average = monai.compute_average_surface_distance(*hot, symmetric=True, spacing=list(spacing))[0]
    overlap = monai.compute_dice(*hot, include_background=False)[0]
    for label in (1, 2):
        distances = surface_distances(*blobs, label, spacing)
        assert distances.hausdorff95 == pytest.approx(float(hausdorff[label - 1]), rel=1e-5)
        assert distances.average == pytest.approx(float(average[label - 1]), rel=1e-5)
        assert dice(*blobs, label) == pytest.approx(float(overlap[label - 1]), rel=1e-6)


def test_a_shift_is_its_distance():
    square = np.zeros((40, 40), dtype=np.uint8)
    square[10:20, 10:20] = 1
    far = np.roll(square, 20, axis=1)

    assert (
        surface_distances(square, square, 1).hausdorff95 == surface_distances(square, square, 1).average == 0
    )
    assert surface_distances(square, far, 1).hausdorff95 == pytest.approx(20, abs=0.5)
    doubled = surface_distances(square, far, 1, (2.0, 2.0))
    assert doubled.average == pytest.approx(2 * surface_distances(square, far, 1).average)


def test_distances_to_nothing_are_unknown(blobs):
    for pair in ((blobs[0], np.zeros_like(blobs[0])), (np.zeros_like(blobs[0]), blobs[0])):
        distances = surface_distances(*pair, 1)
        assert math.isnan(distances.hausdorff95)
        assert math.isnan(distances.average)


def test_distances_refuse_what_does_not_fit(blobs):
    with pytest.raises(InputError, match="size"):
        surface_distances(blobs[0], blobs[1][1:], 1)
    with pytest.raises(InputError, match="one frame"):
        surface_distances(np.stack(blobs), np.stack(blobs), 1)
    with pytest.raises(InputError, match="spacing"):
        surface_distances(*blobs, 1, (1.0, 0.0))
