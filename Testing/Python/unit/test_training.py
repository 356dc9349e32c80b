"""Training resumes as if it had not been killed, and writes a model that loads."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from USEnhanceLib import load_enhancer
from USEnhanceLib.classical.nllr import NLLRParameters
from USEnhanceLib.errors import InputError, OptionError, USEnhanceError
from USEnhanceLib.models import find_model, load_network
from USEnhanceLib.training import loop, self_supervision
from USEnhanceLib.training.checkpoint import CHECKPOINT, load_checkpoint
from USEnhanceLib.training.curve import CURVE
from USEnhanceLib.training.datasets import hc18_images, natural_images, psfhs_images, spread
from USEnhanceLib.training.optimisation import Optimisation
from USEnhanceLib.training.patches import PatchGeometry, PatchSource
from USEnhanceLib.training.recipe import TrainingRecipe
from USEnhanceLib.training.targets import nllr_targets
from USEnhanceLib.training.trainable import TRAINABLE

RECIPE = TrainingRecipe(
    network_options={"dim": 16, "config": [1] * 7, "head_dim": 8},
    steps=10,
    batch=3,
    patch=64,
    psfhs_frames=2,
    hc18_frames=2,
    validate_every=5,
    save_every=4,
    precision="fp32",
    nllr=NLLRParameters(iterations=1),
)


TINY = {
    "scunet": RECIPE.network_options,
    "dncnn": {"depth": 3, "channels": 8},
    "restormer": {"dim": 8, "blocks": [1, 1, 1, 1]},
    "msann": {"widths": [4, 8]},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder laid out as the real data are, with small generated pictures."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)

    def picture(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        ramp = np.linspace(40, 180, 72)[:, None] * rng.uniform(0.5, 1.2, (72, 80))
        Image.fromarray(ramp.clip(0, 255).astype(np.uint8)).save(path)

    for name, group in (("psfhs", "group"), ("hc18", "prefix")):
        rows = [(f"{i:03d}", str(i), "train" if i < 3 else "val") for i in range(5)]
        for row in rows:
            picture(folder / name / "image" / f"{row[0]}.png")
        with (folder / name / "split.csv").open("w", newline="") as stream:
            csv.writer(stream).writerows([("id", group, "split"), *rows])
    for i in range(4):
        picture(folder / "natural" / f"kodim{i:02d}.png")
    return folder


def train(data: Path, out: Path, steps: int = RECIPE.steps, resume: bool = False) -> Path:
    recipe = None if resume else dataclasses.replace(RECIPE, steps=steps)
    return loop.train(data, out, recipe=recipe, resume=resume, targets=data / "targets")


class Killed(BaseException):
    """Stands for the signal: nothing in the code may catch it."""


def test_a_killed_run_goes_on_as_if_it_had_not_been_killed(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(data, tmp_path / "whole")
    update = Optimisation.update

    def killed_at_five(self, batch):
        if self.step == 5:  # after the row of step 5, which the checkpoint of step 4 does not know
            raise Killed
        return update(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(Optimisation, "update", killed_at_five)
        with pytest.raises(Killed):
            train(data, tmp_path / "killed")
    assert load_checkpoint(tmp_path / "killed")["step"] == 4
    train(data, tmp_path / "killed", resume=True)
    whole, killed = (load_checkpoint(tmp_path / name) for name in ("whole", "killed"))
    for part in ("network", "average"):
        for name, value in whole[part].items():
            assert torch.equal(value, killed[part][name]), name

    def curve(name: str) -> list[tuple[str, str]]:
        with (tmp_path / name / CURVE).open() as stream:
            return [(row["step"], row["psnr_ultrasound"]) for row in csv.DictReader(stream)]

    assert curve("whole") == curve("killed")
    assert [step for step, _ in curve("killed")] == sorted({step for step, _ in curve("killed")}, key=int)


def test_the_model_of_a_run_loads_and_says_how_it_was_made(data: Path, tmp_path: Path) -> None:
    folder = train(data, tmp_path / "run", steps=2)
    enhancer = load_enhancer(folder, "cpu")
    assert enhancer(np.full((1, 70, 70), 0.5, np.float32)).frames.shape == (1, 70, 70)
    metadata = json.loads((folder / "configs" / "metadata.json").read_text())
    assert metadata["training"]["recipe"]["steps"] == 2
    card = (folder / "docs" / "README.md").read_text()
    assert "{" not in card
    assert f"{metadata['training']['validation']['psnr_natural']:.2f} dB" in card
    assert TrainingRecipe.load(tmp_path / "run" / loop.RECIPE) == dataclasses.replace(RECIPE, steps=2)


@pytest.mark.parametrize("network", sorted(set(TRAINABLE) - {"irsde", "fhps"}))
def test_every_network_can_be_trained_and_its_model_loaded(network: str, data: Path, tmp_path: Path) -> None:
    recipe = dataclasses.replace(
        RECIPE, network=network, network_options=TINY[network], steps=2, phantom_share=0.34
    )
    folder = loop.train(data, tmp_path, recipe=recipe, targets=data / "targets")
    model = find_model(folder)
    assert model.architecture == TRAINABLE[network].architecture
    frame = torch.rand(1, 1, 40, 52, generator=torch.Generator().manual_seed(0))
    assert load_network(model)(frame).shape == frame.shape
    card = (folder / "docs" / "README.md").read_text()
    assert card.startswith(f"# {TRAINABLE[network].architecture} ")
    assert f"usenhance train {network}" in card
    assert "drawn phantoms" in card


def test_a_run_is_never_overwritten(data: Path, tmp_path: Path) -> None:
    train(data, tmp_path, steps=3)
    with pytest.raises(InputError, match="--resume"):
        train(data, tmp_path, steps=3)


def test_a_loss_that_is_no_number_ends_the_run(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_supervision, "degrade", lambda frames, *_: frames * float("nan"))
    with pytest.raises(USEnhanceError, match="loss is nan at step 0"):
        train(data, tmp_path)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).write_bytes(b"nothing")
    with pytest.raises(InputError, match="damaged"):
        load_checkpoint(tmp_path)


def test_patches_of_image_and_target_stay_together() -> None:
    rng = np.random.default_rng(0)
    images = [rng.uniform(0.4, 0.6, shape).astype(np.float32) for shape in ((90, 120), (40, 50))]
    source = PatchSource(images, [0.5 * image for image in images], PatchGeometry(patch=64))
    patches, targets = source.draw(40, torch.Generator().manual_seed(0))
    assert patches.shape == (40, 64, 64)
    assert torch.allclose(targets, patches / 2, atol=1e-5)
    again, _ = source.draw(40, torch.Generator().manual_seed(0))
    assert torch.equal(patches, again)


def test_native_patches_are_pixels_of_the_image() -> None:
    image = np.arange(100 * 100, dtype=np.float32).reshape(100, 100) / 1e4
    patches, _ = PatchSource([image], [image], PatchGeometry(native_share=1)).draw(
        8, torch.Generator().manual_seed(0)
    )
    known = torch.from_numpy(image).unique()
    assert torch.isin(patches, known).all()


def test_targets_are_computed_once_for_each_frame_and_parameters(tmp_path: Path) -> None:
    image = np.random.default_rng(0).random((40, 40), dtype=np.float32)
    parameters = NLLRParameters(iterations=1)
    first = nllr_targets([("a", image)], tmp_path, parameters, processes=1)
    stamps = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    np.testing.assert_array_equal(nllr_targets([("b", image)], tmp_path, parameters)[0], first[0])
    assert {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == stamps
    nllr_targets([("a", image)], tmp_path, dataclasses.replace(parameters, weight=2.0), processes=1)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_limit_is_spread_over_the_list() -> None:
    assert spread(list(range(10)), 5) == [0, 2, 4, 6, 8]
    assert spread([1, 2], None) == [1, 2]


@pytest.mark.parametrize("reader", [psfhs_images, hc18_images, natural_images])
def test_train_and_val_have_no_frame_in_common(reader, data_folder: Path) -> None:
    train, val = (reader(data_folder, split) for split in ("train", "val"))
    assert train
    assert val
    assert not {name for name, _ in train} & {name for name, _ in val}
    assert not {image.tobytes() for _, image in train} & {image.tobytes() for _, image in val}


def test_a_run_may_begin_with_the_weights_of_a_model(data: Path, tmp_path: Path) -> None:
    first = train(data, tmp_path / "first", steps=2)
    still = dataclasses.replace(RECIPE, steps=1, learning_rate=1e-9, weight_decay=0.0)
    second = loop.train(data, tmp_path / "second", recipe=still, start=first, targets=data / "targets")
    before, after = (load_network(find_model(folder)) for folder in (first, second))
    for name, value in before.state_dict().items():
        assert torch.allclose(value, after.state_dict()[name], atol=1e-3), name
    metadata = json.loads((second / "configs" / "metadata.json").read_text())
    assert metadata["training"]["start"]["sha256"] == find_model(first).sha256


def test_weights_of_another_size_are_no_beginning_and_leave_no_run(data: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="another size"):
        loop.train(data, tmp_path, recipe=RECIPE, start="scunet", targets=data / "targets")
    assert not list(tmp_path.iterdir())
