"""Classical filters as methods of enhancement: the contract of an enhancer, without a model."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from USEnhanceLib import __version__, load_enhancer
from USEnhanceLib.classical.filters import apply_filter, filter_names
from USEnhanceLib.enhancement import check_method, methods, missing_packages, packages_of
from USEnhanceLib.enhancement.loading import DIFFUSIONS
from USEnhanceLib.errors import DependencyError, EnhancementCancelled, InputError, ModelError, OptionError
from USEnhanceLib.models import save_model
from USEnhanceLib.networks import ARCHITECTURES

SIZES = {
    "SCUNet": {"dim": 16, "config": [1] * 7, "head_dim": 8},
}


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    speckle = np.random.default_rng(0).normal(0.5, 0.1, (3, 30, 40))
    return np.clip(speckle, 0, 1).astype(np.float32)


@pytest.mark.parametrize("name", filter_names())
def test_a_filter_enhances_as_it_filters(name: str, frames: np.ndarray) -> None:
    before, seen = frames.copy(), []
    result = load_enhancer(name)(frames, progress=lambda done, total: seen.append((done, total)), seed=4)
    np.testing.assert_allclose(result.frames, apply_filter(name, frames), atol=1e-6)
    assert result.frames.dtype == np.float32
    assert result.uncertainty is None
    assert seen == [(1, 3), (2, 3), (3, 3)]
    np.testing.assert_array_equal(frames, before)
    provenance = result.provenance()
    assert provenance["USEnhance.Method"] == result.method == name
    assert provenance["USEnhance.ModelVersion"] == __version__
    assert (result.parameters["strength"], result.parameters["seed"]) == (1.0, 4)


def test_the_same_frames_give_the_same_result(frames: np.ndarray) -> None:
    enhancer = load_enhancer("obnlm")
    np.testing.assert_array_equal(enhancer(frames, seed=1).frames, enhancer(frames, seed=2).frames)


def test_parameters_of_the_filter_are_recorded(frames: np.ndarray) -> None:
    enhancer = load_enhancer("median", strength=0.25)
    assert enhancer.description["parameters"] == {"strength": 0.25, "filter": {"size": 5}}
    assert enhancer(frames, seed=2).parameters == {"strength": 0.25, "filter": {"size": 5}, "seed": 2}


def test_strength_goes_from_the_input_to_the_filtered_frame(frames: np.ndarray) -> None:
    whole, half, none = (load_enhancer("lee", strength=strength)(frames).frames for strength in (1, 0.5, 0))
    np.testing.assert_array_equal(none, frames)
    np.testing.assert_allclose(half, (frames + whole) / 2, atol=1e-6)
    assert np.abs(whole - frames).mean() > 0.01


def test_black_frames_come_back_unchanged_with_a_note(frames: np.ndarray) -> None:
    stack = frames.copy()
    stack[1] = 0
    result = load_enhancer("frost")(stack)
    assert not result.frames[1].any()
    assert result.notes == ("1 of 3 frames are all black and came back unchanged.",)


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:3", "mps"])
def test_filters_work_on_the_processor_and_say_so(device: str, frames: np.ndarray) -> None:
    result = load_enhancer("median", device)(frames)
    assert result.device == "cpu"
    assert "processor" in result.device_reason


def test_there_is_no_uncertainty(frames: np.ndarray) -> None:
    with pytest.raises(OptionError, match="lee gives no uncertainty"):
        load_enhancer("lee")(frames, uncertainty=True)


# Cancel


@pytest.mark.parametrize("last", [0, 1, 2])
def test_cancel_is_heard_at_every_frame(last: int, frames: np.ndarray) -> None:
    done: list[int] = []
    with pytest.raises(EnhancementCancelled):
        load_enhancer("median")(
            frames, progress=lambda count, _: done.append(count), cancelled=lambda: len(done) >= last
        )
    assert len(done) == last


@pytest.mark.parametrize("name", filter_names())
def test_cancel_is_heard_twice_a_second_within_a_frame(name: str) -> None:
    frames = np.random.default_rng(1).uniform(0.2, 0.7, (1, 160, 160)).astype(np.float32)
    enhancer = load_enhancer(name)
    enhancer(frames[:, :32, :32])  # what is slow only once, imports and compiled code, is done
    # The time of the other threads of this process is that of the filter; of other processes it is not.
    polled: list[tuple[float, float]] = []
    enhancer(frames, cancelled=lambda: polled.append((time.process_time(), time.perf_counter())) is not None)
    assert polled
    assert np.diff([time for time, _ in polled]).max(initial=0) < 0.5


def test_a_cancel_ends_the_wait_for_a_slow_frame() -> None:
    frames = np.random.default_rng(1).uniform(0.2, 0.7, (1, 700, 700)).astype(np.float32)
    begin = time.perf_counter()
    load_enhancer("obnlm")(frames[:, :500, :500])
    whole = time.perf_counter() - begin
    polls: list[float] = []
    with pytest.raises(EnhancementCancelled):
        load_enhancer("obnlm")(
            frames, cancelled=lambda: polls.append(time.perf_counter()) or polls[-1] - polls[0] > 0.2
        )
    assert polls[-1] - polls[0] < whole


def test_an_error_of_the_filter_reaches_the_caller(
    frames: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    enhancer = load_enhancer("bilateral")
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(DependencyError, match="bilateral needs the Python package SimpleITK"):
        enhancer(frames)


# What is refused


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (np.zeros((4, 4), np.float32), "N, H, W"),
        (np.zeros((0, 4, 4), np.float32), "at least one pixel"),
        (np.zeros((1, 4, 4), np.float64), "float32"),
        (np.full((1, 4, 4), np.nan, np.float32), "NaN"),
        (np.full((1, 4, 4), 2, np.float32), "0, 1"),
    ],
)
def test_wrong_pixels_are_refused(pixels: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        load_enhancer("lee")(pixels)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"device": "tpu"}, "Unknown device 'tpu'"),
        ({"strength": 1.5}, "strength is 1.5"),
        ({"tile": 128}, "no option 'tile'"),
        ({"steps": 5}, "no option 'steps'"),
        ({"samples": 2}, "no option 'samples'"),
        ({"runtime": "torch"}, "no option 'runtime'"),
    ],
)
def test_wrong_options_are_refused(options: dict, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        load_enhancer("lee", **options)


@pytest.mark.parametrize("name", ["leee", "LEE", ""])
def test_an_unknown_method_is_refused_with_the_choices(name: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for function in (load_enhancer, check_method, packages_of):
        with pytest.raises((OptionError, ModelError)) as caught:
            function(name)
        if name:
            assert "scunet, irsde, median, lee" in str(caught.value)


# Packages


@pytest.mark.parametrize(
    ("name", "packages"),
    [
        *((name, ()) for name in ("median", "lee", "frost", "kuan", "srad", "obnlm", "bilateral")),
        ("nlm", ("skimage",)),
        ("wavelet", ("skimage", "pywt")),
        ("bm3d", ("bm3d",)),
        ("nllr", ("torch",)),
        ("scunet", ("torch", "safetensors")),
    ],
)
def test_each_method_asks_for_its_own_packages(name: str, packages: tuple[str, ...]) -> None:
    assert packages_of(name) == packages
    assert missing_packages(name) == []


@pytest.mark.parametrize(
    ("name", "module", "words"),
    [
        ("nlm", "skimage.restoration", "pip install scikit-image"),
        ("wavelet", "pywt", "pip install PyWavelets"),
        ("bm3d", "bm3d", "non-commercial use only.*pip install bm3d"),
        ("nllr", "torch", "pip install torch"),
    ],
)
def test_a_missing_package_is_named_with_the_command(
    name: str, module: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DependencyError, match=words):
        load_enhancer(name)


def test_bm3d_is_listed_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    assert "bm3d" in [method.name for method in methods()]
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "bm3d" else find(name))
    assert [method.name for method in methods() if method.is_classical] == [
        name for name in filter_names() if name != "bm3d"
    ]


# Networks of other architectures


@pytest.mark.parametrize("architecture", sorted(set(ARCHITECTURES) - set(DIFFUSIONS)))
def test_a_model_of_any_restoring_architecture_is_loaded(
    architecture: str, frames: np.ndarray, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    network = ARCHITECTURES[architecture](**SIZES.get(architecture, {}))
    save_model(tmp_path / "own", network, name="own", version="3", card="A card.", licence="A licence.")
    result = load_enhancer(tmp_path / "own", "cpu")(frames)
    assert result.frames.shape == frames.shape
    assert (result.method, result.model_version) == ("own", "3")


def test_a_model_for_another_task_is_refused(tmp_path: Path) -> None:
    network = ARCHITECTURES["SCUNet"](**SIZES["SCUNet"])
    folder = tmp_path / "own"
    save_model(folder, network, name="own", version="3", card="C", licence="L", task="segmentation")
    with pytest.raises(OptionError, match="for segmentation, not for enhancement"):
        load_enhancer(folder)
