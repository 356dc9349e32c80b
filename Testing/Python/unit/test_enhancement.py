"""The contract of an enhancer, on a small network with random weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from USEnhanceLib import load_enhancer
from USEnhanceLib.enhancement import methods
from USEnhanceLib.errors import EnhancementCancelled, InputError, ModelError, OptionError
from USEnhanceLib.models import INFERENCE, save_model
from USEnhanceLib.networks import SCUNet


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_model(folder, SCUNet(16, [1] * 7, 8), name="tiny", version="7", card="A card.", licence="A licence.")
    return folder


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    return np.random.default_rng(0).random((3, 70, 90), dtype=np.float32)


def test_result_keeps_shape_type_range_and_input(tiny_model: Path, frames: np.ndarray) -> None:
    before = frames.copy()
    seen: list[tuple[int, int]] = []
    result = load_enhancer(tiny_model, "cpu")(frames, progress=lambda done, total: seen.append((done, total)))
    assert result.frames.shape == frames.shape
    assert result.frames.dtype == np.float32
    assert result.frames.min() >= 0
    assert result.frames.max() <= 1
    assert result.uncertainty is None
    assert (result.method, result.model_version, result.device) == ("tiny", "7", "cpu")
    assert result.provenance()["USEnhance.Method"] == "tiny"
    assert seen == [(1, 3), (2, 3), (3, 3)]
    np.testing.assert_array_equal(frames, before)


def test_same_seed_gives_the_same_result(tiny_model: Path, frames: np.ndarray) -> None:
    enhancer = load_enhancer(tiny_model, "cpu")
    np.testing.assert_array_equal(enhancer(frames, seed=3).frames, enhancer(frames, seed=3).frames)


def test_strength_goes_from_the_input_to_the_enhanced_frame(tiny_model: Path, frames: np.ndarray) -> None:
    whole = load_enhancer(tiny_model, "cpu")(frames).frames
    half = load_enhancer(tiny_model, "cpu", strength=0.5)(frames).frames
    none = load_enhancer(tiny_model, "cpu", strength=0)(frames).frames
    np.testing.assert_array_equal(none, frames)
    np.testing.assert_allclose(half, (frames + whole) / 2, atol=1e-6)


def test_uncertainty_is_the_spread_over_the_symmetries(tiny_model: Path, frames: np.ndarray) -> None:
    enhancer = load_enhancer(tiny_model, "cpu")
    result = enhancer(frames[:1], uncertainty=True)
    np.testing.assert_array_equal(result.frames, enhancer(frames[:1]).frames)
    symmetries = []
    for mirrored in (False, True):
        for turns in range(4):
            turned = np.rot90(frames[:1, :, ::-1] if mirrored else frames[:1], turns, (1, 2))
            back = np.rot90(enhancer(np.ascontiguousarray(turned)).frames, -turns, (1, 2))
            symmetries.append(back[:, :, ::-1] if mirrored else back)
    np.testing.assert_allclose(result.uncertainty, np.std(symmetries, axis=0), atol=1e-5)
    assert result.uncertainty.max() > 0


def with_inference(model: Path, folder: Path, **settings: object) -> Path:
    shutil.copytree(model, folder)
    (folder / INFERENCE).write_text(json.dumps(settings))
    return folder


def test_calibrated_uncertainty_is_scaled_and_the_picture_is_not(
    tiny_model: Path, frames: np.ndarray, tmp_path: Path
) -> None:
    folder = with_inference(tiny_model, tmp_path / "tiny", uncertainty_scale=2.5, uncertainty_floor=0.01)
    raw = load_enhancer(tiny_model, "cpu")(frames[:1], uncertainty=True)
    calibrated = load_enhancer(folder, "cpu")(frames[:1], uncertainty=True)
    np.testing.assert_array_equal(calibrated.frames, raw.frames)
    np.testing.assert_allclose(calibrated.uncertainty, 2.5 * raw.uncertainty + 0.01, atol=1e-6)
    assert calibrated.parameters["uncertainty_scale"] == 2.5
    half = load_enhancer(folder, "cpu", strength=0.5)(frames[:1], uncertainty=True)
    np.testing.assert_allclose(half.uncertainty, calibrated.uncertainty / 2, atol=1e-6)


@pytest.mark.parametrize("value", [-1, "much", None, [1], float("nan")])
def test_a_calibration_that_is_none_is_refused(tiny_model: Path, tmp_path: Path, value: object) -> None:
    folder = with_inference(tiny_model, tmp_path / "tiny", uncertainty_scale=value)
    with pytest.raises(ModelError, match=r"inference\.json"):
        load_enhancer(folder, "cpu")


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 7, 3), (1, 200, 330)])
def test_any_size_is_enhanced(tiny_model: Path, shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(1).random(shape, dtype=np.float32)
    assert load_enhancer(tiny_model, "cpu", tile=128)(pixels).frames.shape == shape


def test_black_frames_come_back_unchanged_with_a_note(tiny_model: Path, frames: np.ndarray) -> None:
    stack = frames.copy()
    stack[1] = 0
    result = load_enhancer(tiny_model, "cpu")(stack, uncertainty=True)
    assert not result.frames[1].any()
    assert not result.uncertainty[1].any()
    assert result.notes == ("1 of 3 frames are all black and came back unchanged.",)


@pytest.mark.parametrize("last", [0, 1, 2, 3])
def test_cancel_is_heard_at_every_frame(tiny_model: Path, frames: np.ndarray, last: int) -> None:
    done: list[int] = []
    with pytest.raises(EnhancementCancelled):
        load_enhancer(tiny_model, "cpu")(
            frames, progress=lambda count, _: done.append(count), cancelled=lambda: len(done) >= min(last, 2)
        )
    assert len(done) == min(last, 2)


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
def test_wrong_pixels_are_refused(tiny_model: Path, pixels: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        load_enhancer(tiny_model, "cpu")(pixels)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "scunett"}, "Unknown method 'scunett'"),
        ({"device": "tpu"}, "Unknown device 'tpu'"),
        ({"device": "cuda:"}, "Unknown device"),
        ({"strength": 1.5}, "strength is 1.5"),
        ({"strength": float("nan")}, "strength is nan"),
        ({"tile": 100}, "tile is 100"),
        ({"steps": 5}, "no option 'steps'"),
        ({"samples": 2}, "no option 'samples'"),
        ({"runtime": "onnx"}, "Unknown runtime"),
    ],
)
def test_wrong_options_are_refused(tiny_model: Path, options: dict, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        load_enhancer(**{"method": tiny_model, "device": "cpu", **options})


def test_unknown_keywords_are_an_error(tiny_model: Path) -> None:
    with pytest.raises(TypeError, match="stepz"):
        load_enhancer(tiny_model, stepz=3)


def test_a_device_that_this_computer_lacks_is_named(tiny_model: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this computer has a GPU")
    with pytest.raises(OptionError, match="no device 'cuda'"):
        load_enhancer(tiny_model, "cuda")


def test_the_chosen_device_is_explained(tiny_model: Path) -> None:
    assert load_enhancer(tiny_model, "auto").description["device_reason"]


def test_short_gpu_memory_ends_on_the_cpu(
    tiny_model: Path, frames: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory runs out as long as the enhancer believes itself on a GPU."""
    from USEnhanceLib.device import Device

    enhancer = load_enhancer(tiny_model, "cpu", tile=256)
    expected = enhancer(frames).frames
    evaluate = type(enhancer)._evaluate

    def run_short(self, piece):
        if self._device.name != "cpu":
            raise torch.cuda.OutOfMemoryError
        return evaluate(self, piece)

    monkeypatch.setattr(type(enhancer), "_evaluate", run_short)
    enhancer._device = Device("cuda:0", "a GPU with little memory")
    result = enhancer(frames)
    np.testing.assert_allclose(result.frames, expected, atol=1e-6)
    assert result.device == "cpu"
    assert any("CPU was used" in note for note in result.notes)


def test_networks_are_those_that_are_shipped_and_come_first() -> None:
    from USEnhanceLib.models import SHIPPED

    networks = [method.name for method in methods() if not method.is_classical]
    assert set(networks) <= set(SHIPPED)
    assert [method.name for method in methods()][: len(networks)] == networks
