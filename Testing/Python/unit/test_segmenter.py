"""Outlining stacks of frames: sizes, progress, cancelling, and what is refused."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from scipy import ndimage

from USEnhanceLib.errors import EnhancementCancelled, InputError, ModelError, OptionError
from USEnhanceLib.models import INFERENCE, WEIGHTS, save_model
from USEnhanceLib.networks import StructureUNet
from USEnhanceLib.segmentation import check_segmenter, dice, load_segmenter
from USEnhanceLib.segmentation.segmenter import largest_parts
from USEnhanceLib.segmentation.working_size import WORKING_EDGE, at_working_size, resampled


@pytest.fixture(scope="module")
def segmenter(tiny_segmenter):
    return load_segmenter(tiny_segmenter, "cpu")


@pytest.mark.parametrize(("rows", "columns"), [(96, 128), (192, 256), (384, 512), (120, 96)])
def test_frames_of_any_size_are_outlined(segmenter, drawn_structures, rows, columns):
    pixels, labels = drawn_structures(2, rows, columns, 11)
    before = pixels.copy()
    found = segmenter(pixels)
    assert found.shape == labels.shape
    assert found.dtype == np.uint8
    assert np.array_equal(pixels, before)
    assert dice(found, labels, 2) > 0.85


def test_the_same_frame_gives_the_same_outlines_alone_and_in_a_stack(segmenter, drawn_structures):
    pixels, _ = drawn_structures(3, 96, 128, 2)
    assert np.array_equal(segmenter(pixels)[1], segmenter(pixels[1:2])[0])


def test_a_black_frame_has_no_structures(segmenter):
    assert not segmenter(np.zeros((1, 64, 64), np.float32)).any()


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 40), (1, 700, 3)])
def test_odd_frames_do_no_harm(segmenter, shape):
    frame = np.random.default_rng(0).random(shape, dtype=np.float32)
    assert segmenter(frame).shape == shape


def test_a_model_may_ask_for_mirror_images_and_whole_parts(tiny_segmenter, drawn_structures, tmp_path):
    asked = shutil.copytree(tiny_segmenter, tmp_path / "asked")
    (asked / INFERENCE).write_text(json.dumps({"mirror": True, "largest_part": True}))
    pixels, labels = drawn_structures(2, 192, 256, 11)
    noisy = (pixels + np.random.default_rng(0).normal(0, 0.15, pixels.shape)).clip(0, 1).astype(np.float32)
    plain, found = load_segmenter(tiny_segmenter, "cpu")(noisy), load_segmenter(asked, "cpu")(noisy)
    assert not np.array_equal(plain, found)
    assert dice(found, labels, 2) > 0.85
    for frame in found:
        assert max(ndimage.label(frame == label, np.ones((3, 3)))[1] for label in (1, 2)) == 1
    mirrored = load_segmenter(asked, "cpu")(np.ascontiguousarray(noisy[:, :, ::-1]))[:, :, ::-1]
    assert np.array_equal(mirrored, found)


def test_the_largest_part_of_each_structure_is_kept():
    labels = np.zeros((8, 8), np.uint8)
    labels[0, 0] = labels[4:6, 4:6] = labels[6, 6] = 1
    labels[0, 4:8], labels[7, 0] = 2, 2
    kept = largest_parts(labels)
    assert (kept == 1).sum() == 5
    assert (kept == 2).sum() == 4
    assert kept[0, 0] == kept[7, 0] == 0
    assert not largest_parts(np.zeros((3, 3), np.uint8)).any()


def test_progress_and_cancelling(segmenter, drawn_structures):
    pixels, _ = drawn_structures(3, 96, 128, 0)
    told: list[tuple[int, int]] = []
    segmenter(pixels, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(EnhancementCancelled):
        segmenter(pixels, cancelled=lambda: True)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.float32),
        np.zeros((1, 4, 4), np.float64),
        np.full((1, 4, 4), 2, np.float32),
        np.full((1, 4, 4), np.nan, np.float32),
    ],
)
def test_what_is_no_stack_of_frames_is_refused(segmenter, pixels):
    with pytest.raises(InputError):
        segmenter(pixels)


def test_unknown_models_and_devices_are_refused(tiny_segmenter):
    with pytest.raises(OptionError, match="fhps"):
        load_segmenter("nothing")
    with pytest.raises(OptionError, match="not for segmentation"):
        check_segmenter("scunet")
    with pytest.raises(OptionError, match="device"):
        load_segmenter(tiny_segmenter, "abacus")


def test_damaged_weights_are_refused(tiny_segmenter, tmp_path):
    copy = shutil.copytree(tiny_segmenter, tmp_path / "damaged")
    weights = bytearray((copy / WEIGHTS).read_bytes())
    weights[-1] ^= 1
    (copy / WEIGHTS).write_bytes(weights)
    with pytest.raises(ModelError, match="altered"):
        load_segmenter(copy)


def test_what_made_the_outlines_is_told(segmenter):
    assert segmenter.description["model"] == "outliner"
    assert segmenter.provenance()["USEnhance.SegmentationModelVersion"] == "1"


@pytest.mark.parametrize("size", [(100, 50), (30, 600), (256, 256)])
def test_the_working_size_keeps_the_aspect_ratio(size):
    frames = torch.rand((1, *size), generator=torch.Generator().manual_seed(0))
    small = at_working_size(frames)
    assert max(small.shape[1:]) == WORKING_EDGE
    assert small.shape[1] / small.shape[2] == pytest.approx(size[0] / size[1], rel=0.05)
    assert resampled(small[:, None], size).shape == (1, 1, *size)


def test_a_state_has_every_weight_once_and_is_complete(tmp_path):
    first, second = StructureUNet(channels=[8, 16, 16]), StructureUNet(channels=[8, 16, 16])
    state = first.state_dict()
    assert sum(weight.numel() for weight in state.values()) == sum(p.numel() for p in first.parameters())
    second.load_state_dict(state, strict=True)
    frame = torch.rand(1, 1, 40, 40)
    assert torch.equal(first.eval()(frame), second.eval()(frame))
    state.pop(next(iter(state)))
    with pytest.raises(RuntimeError, match="Missing key"):
        second.load_state_dict(state, strict=True)
    copy = save_model(tmp_path, first, name="n", version="1", card="c", licence="l", task="segmentation")
    assert copy.weights.stat().st_size < 2.2 * sum(p.numel() for p in first.parameters()) + 8000


@pytest.mark.parametrize("size", [(1, 1), (33, 70), (64, 64)])
def test_the_network_takes_any_size(size):
    network = StructureUNet(channels=[8, 16, 16]).eval()
    with torch.inference_mode():
        assert network(torch.rand(2, 1, *size)).shape == (2, 3, *size)
