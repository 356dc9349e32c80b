"""Whether frames look like those of a model's training."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from USEnhanceLib.degradation.speckle import rayleigh_speckle
from USEnhanceLib.enhancement.domain import (
    DOMAIN,
    STATISTICS,
    Domain,
    domain_note,
    domain_of,
    frame_statistics,
)
from USEnhanceLib.errors import ModelError
from USEnhanceLib.models import find_model


def speckled(grain: float, level: float = 0.5, size: int = 128) -> np.ndarray:
    generator = torch.Generator().manual_seed(3)
    return rayleigh_speckle(torch.full((1, size, size), level), 60.0, generator, grain=grain)[0].numpy()


def test_statistics_are_those_of_known_noise():
    noise = np.random.default_rng(0).standard_normal((256, 256))
    found = frame_statistics((0.5 + 0.05 * noise).astype(np.float32))
    # What is left of white noise is what is left of a point, whose autocorrelation is that of the noise.
    point = np.pad([[1.0]], 20)
    left = point - gaussian_filter(point, 2.0)
    variance = (left**2).sum()
    neighbours = (left[1:] * left[:-1]).sum() / variance
    assert found["mean"] == pytest.approx(0.5, abs=1e-3)
    assert found["grain"] == pytest.approx(0.05 * variance**0.5, rel=0.02)
    assert found["along"] == pytest.approx(neighbours, abs=0.02)
    assert found["across"] == pytest.approx(neighbours, abs=0.02)


def test_speckle_that_is_longer_in_one_direction_is_told():
    noise = gaussian_filter(np.random.default_rng(0).standard_normal((128, 128)), (0.4, 1.5))
    found = frame_statistics((0.5 + 0.1 * noise / noise.std()).astype(np.float32))
    assert found["across"] > found["along"] + 0.3


def test_background_does_not_count():
    frame = speckled(1.0)
    padded = np.pad(frame, 60)
    inside, whole = frame_statistics(padded), frame_statistics(frame)
    for name in STATISTICS:
        assert inside[name] == pytest.approx(whole[name], rel=0.1, abs=0.02)


@pytest.mark.parametrize("frame", [np.zeros((64, 64), np.float32), np.full((8, 8), 0.5, np.float32)])
def test_too_little_tissue_tells_nothing(frame):
    assert frame_statistics(frame) == {}
    assert Domain({"mean": (0.9, 1.0)}).unusual(frame) == []


def test_an_even_frame_has_no_speckle():
    found = frame_statistics(np.full((64, 64), 0.5, np.float32))
    assert found["grain"] == pytest.approx(0, abs=1e-6)


def test_frames_outside_the_range_are_named_by_what_is_unusual():
    usual = frame_statistics(speckled(1.0))
    domain = Domain({name: (value - 0.05, value + 0.05) for name, value in usual.items()})
    assert domain.unusual(speckled(1.0)) == []
    assert {"along", "across"} <= set(domain.unusual(speckled(3.0)))
    assert domain.unusual(speckled(1.0, level=0.8)) == ["mean"]


def test_a_warning_says_how_many_and_why():
    note = domain_note({"along": 1, "mean": 3}, 3, 10, "irsde")
    assert note.startswith("3 of 10 frames lie outside what irsde was trained on")
    assert note.index("mean grey value") < note.index("length of its speckle")
    assert domain_note({"mean": 1}, 1, 1, "irsde").startswith("The frame lies")


def test_a_model_without_a_domain_has_none():
    assert domain_of(find_model("scunet")) is None


@pytest.mark.parametrize(
    "given", [[], {}, "mean", {"mean": [1, 0]}, {"mean": [0]}, {"tone": [0, 1]}, {"mean": ["a", "b"]}]
)
def test_a_wrong_domain_is_refused_with_its_file(given):
    model = find_model("scunet")
    with pytest.raises(ModelError, match=r"inference\.json"):
        domain_of(replace(model, inference={**model.inference, DOMAIN: given}))


def test_a_domain_is_read(tmp_path: Path):
    model = find_model("scunet")
    kept = json.loads(json.dumps({"mean": [0.1, 0.9], "grain": [0, 1]}))
    found = domain_of(replace(model, inference={DOMAIN: kept}))
    assert found.ranges == {"mean": (0.1, 0.9), "grain": (0.0, 1.0)}
