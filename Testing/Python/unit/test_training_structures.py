"""Learning to outline: data, views, looks, objective, a run, and the bundle that it writes."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from USEnhanceLib.cli import main
from USEnhanceLib.errors import InputError, OptionError
from USEnhanceLib.models import find_model
from USEnhanceLib.segmentation import dice, load_segmenter
from USEnhanceLib.training import loop
from USEnhanceLib.training.overlap_objective import OverlapAndEntropy
from USEnhanceLib.training.scanner_looks import ScannerLooks
from USEnhanceLib.training.structure_data import group_weights, outlined_frames
from USEnhanceLib.training.structure_recipe import StructureRecipe
from USEnhanceLib.training.structure_validation import StructureValidation
from USEnhanceLib.training.structure_views import StructureViews

RECIPE = StructureRecipe(
    network_options={"channels": [8, 16, 16], "unshuffle": 4},
    steps=4,
    batch=2,
    patch=64,
    precision="fp32",
    report_every=1,
    validate_every=4,
    save_every=2,
    warmup=1,
)
STILL = {"angle": 0.0, "scale": (1.0, 1.0), "aspect": 1.0, "shear": 0.0, "sector": 0.0, "shift": 0.0}
STILL |= {"bend": 0.0, "flip": 0.0}
USUAL = {"gain": (1.0, 1.0), "gamma": (1.0, 1.0), "uneven": 0.0, "dropout": 0.0, "screen": 0.0}
USUAL |= {"degraded": 0.0}


def write_data_set(folder: Path, pixels: np.ndarray, labels: np.ndarray, heads: bool = False) -> Path:
    """Write frames in the layout of PSFHS: groups of two, every third group held out."""
    for part in ("image", "label"):
        (folder / part).mkdir(parents=True)
    column = "prefix" if heads else "group"
    rows = [f"id,{column},split" + ("" if heads else ",device")]
    for i, (frame, own) in enumerate(zip(pixels, labels, strict=True)):
        Image.fromarray(np.rint(frame * 255).astype(np.uint8)).save(folder / "image" / f"{i:03}.png")
        Image.fromarray(own).save(folder / "label" / f"{i:03}.png")
        group = i // 2
        split = "val" if group % 3 == 2 else "train"
        rows.append(f"{i:03},{group},{split}" + ("" if heads else ",A" if group % 2 else ",B"))
    (folder / "split.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def data(drawn_structures, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("structures")
    pixels, labels = drawn_structures(12, 64, 80, 0)
    write_data_set(folder / "psfhs", pixels, labels)
    write_data_set(folder / "hc18", pixels[:6], np.where(labels[:6] == 2, np.uint8(2), np.uint8(0)), True)
    return folder


@pytest.fixture(scope="module")
def model(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return loop.train(data, tmp_path_factory.mktemp("run"), recipe=RECIPE)


def test_groups_stay_together(data):
    learned, held_out = (outlined_frames(data / "psfhs", split) for split in ("train", "val"))
    assert len(learned) + len(held_out) == 12
    assert {frame.group for frame in learned}.isdisjoint(frame.group for frame in held_out)
    assert {frame.device for frame in learned} == {"A", "B"}
    assert set(np.unique(learned[0].labels)) == {0, 1, 2}
    assert learned[0].pixels.dtype == np.uint8


def test_a_group_counts_by_the_root_of_its_size(data):
    frame = outlined_frames(data / "psfhs", "train")[0]
    frames = [dataclasses.replace(frame, group=name) for name in ["a"] * 9 + ["b"]]
    weights = group_weights(frames)
    assert weights.sum() == pytest.approx(1)
    assert weights[:9].sum() == pytest.approx(3 * weights[9])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "split.csv").unlink(), "split.csv"),
        (lambda folder: (folder / "split.csv").write_text("name\n1\n"), "columns id and split"),
        (
            lambda folder: (folder / "split.csv").write_text("id,group,split\n000,1,train\n001,1,val\n"),
            "group",
        ),
        (lambda folder: (folder / "label" / "000.png").unlink(), "000.png"),
        (lambda folder: (folder / "image" / "000.png").write_bytes(b"no picture"), "000.png"),
        (
            lambda folder: Image.fromarray(np.full((64, 80), 7, np.uint8)).save(folder / "label" / "000.png"),
            "labels",
        ),
        (
            lambda folder: Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "label" / "000.png"),
            "size",
        ),
        (
            lambda folder: Image.fromarray(np.zeros((64, 80, 3), np.uint8)).save(
                folder / "label" / "000.png"
            ),
            "coloured",
        ),
    ],
)
def test_wrong_data_are_refused_by_name(change, message, drawn_structures, tmp_path):
    folder = write_data_set(tmp_path / "own", *drawn_structures(6, 64, 80, 0))
    change(folder)
    with pytest.raises(InputError, match=message):
        outlined_frames(folder, "train")


def test_a_still_view_is_the_frame_with_its_labels(drawn_structures):
    pixels, labels = drawn_structures(1, 64, 64, 0)
    grey = np.rint(pixels[0] * 255).astype(np.uint8)
    view, seen = StructureViews(edge=64, **STILL).draw(grey, labels[0], torch.Generator())
    assert np.allclose(view.numpy() * 255, grey, atol=1e-2)
    assert np.array_equal(seen.numpy(), labels[0])


def test_labels_move_with_the_pixels(drawn_structures):
    _, labels = drawn_structures(1, 96, 128, 0)
    views = StructureViews(edge=96)
    for seed in range(20):
        view, seen = views.draw(labels[0] * np.uint8(100), labels[0], torch.Generator().manual_seed(seed))
        inside = seen > 0
        # Bilinear pixels differ from the nearest label at borders alone.
        assert (torch.abs(view * 255 / 100 - seen) < 0.51).float().mean() > 0.97
        assert inside.any()


def test_views_differ_and_repeat(drawn_structures):
    pixels, labels = drawn_structures(1, 64, 80, 0)
    grey = np.rint(pixels[0] * 255).astype(np.uint8)

    def draw(seed: int) -> torch.Tensor:
        return StructureViews(edge=64).draw(grey, labels[0], torch.Generator().manual_seed(seed))[0]

    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))


def test_a_flat_frame_lies_in_the_middle_of_the_square():
    grey = np.full((32, 64), 255, np.uint8)
    view, _ = StructureViews(edge=64, **STILL).draw(grey, grey // 255, torch.Generator())
    assert float(view[32].min()) == 1
    assert not view[:15].any()
    assert not view[49:].any()


def test_the_usual_look_is_the_view_itself():
    view = torch.rand((48, 48), generator=torch.Generator().manual_seed(0))
    assert torch.allclose(ScannerLooks(**USUAL).draw(view, torch.Generator()), view, atol=1e-6)


@pytest.mark.parametrize(
    "look",
    [
        {"gain": (0.5, 0.6)},
        {"gamma": (1.5, 1.6)},
        {"uneven": 1.0},
        {"dropout": 1.0},
        {"screen": 1.0},
        {"degraded": 1.0},
    ],
)
def test_every_look_changes_the_view_and_repeats(look):
    looks = ScannerLooks(**{**USUAL, **look})
    view = torch.rand((96, 96), generator=torch.Generator().manual_seed(0)) * 0.5 + 0.2
    changed = 0
    for seed in range(8):
        shown = looks.draw(view, torch.Generator().manual_seed(seed))
        assert torch.equal(shown, looks.draw(view, torch.Generator().manual_seed(seed)))
        assert shown.shape == view.shape
        assert 0 <= float(shown.min()) <= float(shown.max()) <= 1
        changed += not torch.allclose(shown, view, atol=1e-3)
    # MONAI's own transforms have a chance of their own, and a blur of one pixel is none.
    assert changed >= 4


def test_the_objective_is_small_for_right_outlines_and_large_for_wrong_ones(drawn_structures):
    _, labels = drawn_structures(2, 64, 64, 0)
    target = torch.from_numpy(labels)[:, None].float()

    def penalty(scores: torch.Tensor) -> torch.Tensor:
        return OverlapAndEntropy(0.0)(lambda _: scores, (target, target))[1]

    right = torch.nn.functional.one_hot(target[:, 0].long(), 3).permute(0, 3, 1, 2) * 20.0
    assert penalty(right).shape == (2,)
    assert float(penalty(right).max()) < 0.01
    assert float(penalty(right.roll(1, 1)).min()) > 1


class Perfect(torch.nn.Module):
    """Knows the labels of frames whose grey values are them."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        found = torch.round(frames[:, 0] * 255 / 100).long().clamp(0, 2)
        return torch.nn.functional.one_hot(found, 3).permute(0, 3, 1, 2).float()


def test_validation_scores_a_perfect_network_with_one(drawn_structures, tmp_path):
    _, labels = drawn_structures(6, 64, 256, 0)
    folder = write_data_set(tmp_path / "own", labels * np.float32(100 / 255), labels)
    validation = StructureValidation(outlined_frames(folder, "val"))
    assert validation.score(Perfect()) == {"dice_ps": 1.0, "dice_fh": 1.0}
    panel = validation.panels(Perfect())[0]
    assert np.array_equal(panel.frames[1], panel.frames[2])
    assert not np.array_equal(panel.frames[0], panel.frames[1])


def test_a_run_writes_a_model_that_outlines(model, data, drawn_structures):
    description = find_model(model)
    assert (description.task, description.architecture) == ("segmentation", "StructureUNet")
    header = (model.parent / "curve.csv").read_text().splitlines()[0]
    assert header == "step,loss,dice_ps,dice_fh,seconds,cpu_seconds"
    card = (model / "docs" / "README.md").read_text()
    assert "{" not in card
    assert "8 frames of 4 groups" in card
    assert "CC BY 4.0" in (model / "LICENSE").read_text()
    pixels, labels = drawn_structures(2, 64, 80, 5)
    assert load_segmenter(model, "cpu")(pixels).shape == labels.shape


def test_a_resumed_run_ends_with_the_same_weights(model, data, tmp_path, monkeypatch):
    class StoppedError(Exception):
        pass

    def stop(line: str) -> None:
        if line.startswith("step 3/"):
            raise StoppedError

    with pytest.raises(StoppedError):
        loop.train(data, tmp_path / "run", recipe=RECIPE, report=stop)
    again = loop.train(data, tmp_path / "run", resume=True)
    assert find_model(again).sha256 == find_model(model).sha256


def test_a_folder_of_ones_own_needs_no_published_data(drawn_structures, tmp_path):
    folder = write_data_set(tmp_path / "own", *drawn_structures(6, 64, 80, 0))
    said: list[str] = []
    trained = loop.train(folder, tmp_path / "run", recipe=RECIPE, report=said.append)
    assert any("no hc18" in line for line in said)
    assert "supplied" in (trained / "LICENSE").read_text()


def test_frames_without_a_symphysis_are_not_learnt_from(drawn_structures, tmp_path):
    pixels, labels = drawn_structures(6, 64, 80, 0)
    folder = write_data_set(tmp_path / "own", pixels, np.where(labels == 1, np.uint8(0), labels))
    with pytest.raises(InputError, match="no frame with a pubic symphysis"):
        loop.train(folder, tmp_path / "run", recipe=RECIPE)
    assert not (tmp_path / "run").exists()


def test_targets_are_refused(data, tmp_path):
    with pytest.raises(OptionError, match="--targets"):
        loop.train(data, tmp_path / "run", recipe=RECIPE, targets=tmp_path)


@pytest.mark.parametrize(
    "entry",
    [{"gain": [2, 1]}, {"flip": 1.5}, {"aspect": 0.5}, {"angle": -1}, {"scale": [1]}, {"sigma": [0, 2]}],
)
def test_recipes_that_make_no_sense_are_refused(entry, tmp_path):
    (tmp_path / "recipe.json").write_text(json.dumps(entry))
    with pytest.raises(OptionError, match=next(iter(entry))):
        StructureRecipe.load(tmp_path / "recipe.json", "fhps")


def test_the_command_trains(data, tmp_path, capsys):
    recipe = {**dataclasses.asdict(RECIPE), "steps": 2}
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    words = ["train", "fhps", "--data", str(data), "--out", str(tmp_path / "run")]
    assert main([*words, "--recipe", str(tmp_path / "recipe.json")]) == 0
    assert find_model(tmp_path / "run" / "model").task == "segmentation"
    assert f"usenhance segment IN OUT --model {tmp_path / 'run' / 'model'}" in capsys.readouterr().out


# What MONAI's bundle specification (docs/source/mb_specification.rst) asks of metadata.json. Its own schema
# is downloaded by verify_metadata, which takes this one where it finds it in place.
TEXTS = (
    *("version", "monai_version", "pytorch_version", "numpy_version"),
    *("task", "description", "authors", "copyright"),
)
TENSOR = {
    "type": {"enum": ["image", "series", "tuples", "probabilities"]},
    "format": {"enum": ["magnitude", "labels", "segmentation", "classes"]},
    "modality": {"type": "string"},
    "num_channels": {"type": "integer", "minimum": 1},
    "spatial_shape": {
        "type": "array",
        "items": {"type": ["integer", "string"]},
        "minItems": 2,
        "maxItems": 2,
    },
    "dtype": {"const": "float32"},
    "value_range": {"type": "array", "items": {"type": "number"}},
    "is_patch_data": {"type": "boolean"},
    "channel_def": {"type": "object", "minProperties": 1},
}
TENSORS = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {"type": "object", "required": list(TENSOR), "properties": TENSOR},
}
SCHEMA = {
    "type": "object",
    "required": ["schema", *TEXTS, "required_packages_version", "network_data_format"],
    "properties": {
        **{name: {"type": "string", "minLength": 1} for name in TEXTS},
        "required_packages_version": {"type": "object", "additionalProperties": {"type": "string"}},
        "changelog": {"type": "object"},
        "references": {"type": "array", "items": {"type": "string"}},
        "eval_metrics": {"type": "object", "additionalProperties": {"type": "number"}},
        "network_data_format": {
            "type": "object",
            "required": ["inputs", "outputs"],
            "properties": {"inputs": TENSORS, "outputs": TENSORS},
        },
    },
}


def test_monai_verifies_the_metadata(model, tmp_path):
    from monai.bundle import verify_metadata

    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    metadata = model / "configs" / "metadata.json"
    verify_metadata(meta_file=str(metadata), filepath=str(tmp_path / "schema.json"))
    outputs = json.loads(metadata.read_text())["network_data_format"]["outputs"]
    assert outputs["pred"]["num_channels"] == len(outputs["pred"]["channel_def"]) == 3
    wrong = {key: value for key, value in json.loads(metadata.read_text()).items() if key != "task"}
    (tmp_path / "wrong.json").write_text(json.dumps(wrong))
    with pytest.raises(ValueError, match="task"):
        verify_metadata(meta_file=str(tmp_path / "wrong.json"), filepath=str(tmp_path / "schema.json"))


def test_monai_runs_the_bundle_without_us_and_outlines_alike(model, drawn_structures, tmp_path):
    pixels, _ = drawn_structures(2, 256, 256, 3)
    (tmp_path / "frames").mkdir()
    for i, frame in enumerate(pixels):
        Image.fromarray(np.rint(frame * 255).astype(np.uint8)).save(tmp_path / "frames" / f"{i}.png")
    program = (
        "import sys; sys.modules['USEnhanceLib'] = None\n"
        "from monai.bundle import run\n"
        "file, root, frames, labels = sys.argv[1:]\n"
        "run(config_file=file, bundle_root=root, dataset_dir=frames, output_dir=labels)"
    )
    paths = [model / "configs" / "inference.json", model, tmp_path / "frames", tmp_path / "labels"]
    finished = subprocess.run(
        [sys.executable, "-c", program, *map(str, paths)], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    ours = load_segmenter(model, "cpu")(np.rint(pixels * 255).astype(np.float32) / 255)
    theirs = [np.asarray(Image.open(tmp_path / "labels" / f"{i}_labels.png")) for i in range(2)]
    assert np.mean(ours == theirs) > 0.999
    assert all(
        dice(own, their, 2) > 0.99 for own, their in zip(ours, theirs, strict=True) if (own == 2).any()
    )
