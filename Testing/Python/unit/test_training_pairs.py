"""Restoring networks that learn from simulated pairs, as yardsticks for the diffusion."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from USEnhanceLib import load_enhancer
from USEnhanceLib.cli import main
from USEnhanceLib.errors import InputError, OptionError
from USEnhanceLib.models import find_model
from USEnhanceLib.training import loop
from USEnhanceLib.training.checkpoint import load_checkpoint
from USEnhanceLib.training.despeckling import Despeckling
from USEnhanceLib.training.diffusion_recipe import DiffusionRecipe
from USEnhanceLib.training.objectives import SquaredError
from USEnhanceLib.training.paired_recipe import PairedRecipe
from USEnhanceLib.training.paired_restoration import PairedRestoration
from USEnhanceLib.training.recipe import TrainingRecipe
from USEnhanceLib.training.tasks import read_recipe

RECIPE = PairedRecipe(
    network="dncnn",
    network_options={"depth": 3, "channels": 8},
    steps=4,
    batch=2,
    patch=32,
    precision="fp32",
    report_every=1,
    validate_every=4,
    save_every=2,
    validation_pairs=1,
)


@pytest.fixture(scope="module")
def data(drawn_pairs: Path) -> Path:
    return drawn_pairs


@pytest.fixture(scope="module")
def model(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return loop.train(data, tmp_path_factory.mktemp("run"), recipe=RECIPE)


def recipe_file(folder: Path, **entries: object) -> Path:
    file = folder / "recipe.json"
    file.write_text(json.dumps(entries))
    return file


def test_the_supervision_in_a_file_chooses_the_recipe(tmp_path):
    paired = read_recipe(recipe_file(tmp_path, supervision="pairs", probes=["L11-5v", "P6-3"]), "scunet")
    assert paired == PairedRecipe(network="scunet", probes=("L11-5v", "P6-3"))
    assert isinstance(read_recipe(recipe_file(tmp_path, steps=3), "scunet"), TrainingRecipe)
    assert isinstance(read_recipe(recipe_file(tmp_path, network="irsde"), None), DiffusionRecipe)
    RECIPE.save(tmp_path / "saved.json")
    assert read_recipe(tmp_path / "saved.json", "dncnn") == RECIPE


@pytest.mark.parametrize(
    ("network", "entries", "word"),
    [
        ("scunet", {"supervision": "paris"}, "'paris'"),
        ("scunet", {"supervision": ["pairs"]}, "Unknown supervision"),
        ("irsde", {"supervision": "pairs"}, "leave supervision out"),
        ("scunet", {"supervision": "pairs", "network": "dncnn"}, "recipe for dncnn"),
        ("scunet", {"supervision": "pairs", "natural_share": 0.5}, "natural_share"),
        ("scunet", {"supervision": "pairs", "validation_pairs": 0}, "validation_pairs out of range"),
        ("scunet", {"supervision": "pairs", "probes": "L11-5v"}, "not a list"),
        ("irsde", {"probes": [3]}, "not a list of names"),
    ],
)
def test_what_is_wrong_in_a_paired_recipe_is_named(network, entries, word, tmp_path):
    with pytest.raises(OptionError, match=word):
        read_recipe(recipe_file(tmp_path, **entries), network)


def test_the_error_is_squared_and_the_mean_of_each_patch():
    inputs = torch.zeros(2, 1, 2, 2)
    targets = torch.tensor([[0.0, 0.0, 0.0, 0.4], [0.1, 0.1, 0.3, 0.3]]).reshape(2, 1, 2, 2)
    errors, penalties = SquaredError()(nn.Identity(), (inputs, targets))
    assert errors.tolist() == pytest.approx([0.04, 0.05])
    assert penalties is errors


def test_all_networks_learn_from_the_same_patches(data, tmp_path):
    diffusion = DiffusionRecipe(batch=RECIPE.batch, patch=RECIPE.patch, seed=RECIPE.seed)
    speckled, clean = PairedRestoration(RECIPE, data, tmp_path).draw(7)
    assert speckled.shape == (2, 32, 32)
    also_clean, also_speckled, *_ = Despeckling(diffusion, data, tmp_path).draw(7)
    assert torch.equal(speckled, also_speckled)
    assert torch.equal(clean, also_clean)


def test_a_run_writes_a_model_that_restores(model, data):
    description = find_model(model)
    assert (description.architecture, description.task) == ("DnCNN", "enhancement")
    assert description.metadata["training"]["recipe"]["supervision"] == "pairs"
    header = (model.parent / "curve.csv").read_text().splitlines()[0]
    assert header == "step,loss,psnr_simulated,ssim_simulated,seconds,cpu_seconds"
    card = (model / "docs" / "README.md").read_text()
    assert card.startswith("# DnCNN")
    assert "P6-3" in card
    assert f"{description.metadata['training']['validation']['psnr_simulated']:.2f} dB" in card
    assert "{" not in card
    frames = np.random.default_rng(1).random((2, 40, 52), dtype=np.float32)
    assert load_enhancer(model, "cpu")(frames).frames.shape == frames.shape


def test_validation_scores_what_users_get(model, data, tmp_path):
    """The curve's last figure is that of the enhancer, but for the rounding of the weights."""
    task = PairedRestoration(RECIPE, data, tmp_path)
    enhancer = load_enhancer(model, "cpu")
    (_, pair), *_ = task.validation().pairs
    found = enhancer(pair[:1]).frames[0]
    score = -10 * np.log10(np.mean((found - pair[1]) ** 2))
    assert find_model(model).metadata["training"]["validation"]["psnr_simulated"] == pytest.approx(
        score, abs=0.05
    )


def test_a_resumed_run_finds_its_recipe_and_goes_on_as_if_it_had_not_ended(model, data, tmp_path):
    loop.train(data, tmp_path, recipe=dataclasses.replace(RECIPE, steps=2))
    recipe = json.loads((tmp_path / loop.RECIPE).read_text())
    (tmp_path / loop.RECIPE).write_text(json.dumps({**recipe, "steps": 4}))
    loop.train(data, tmp_path, network="dncnn", resume=True)
    # All steps are in the warm-up, where the learning rate does not depend on their number.
    whole, resumed = (load_checkpoint(folder)["network"] for folder in (model.parent, tmp_path))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_the_command_line_begins_with_shipped_weights(data, tmp_path, capsys):
    entries = {"supervision": "pairs", "steps": 1, "batch": 1, "patch": 64, "validation_pairs": 1}
    file = recipe_file(tmp_path, **entries)
    words = ["train", "scunet", "--data", data, "--out", tmp_path / "run", "--recipe", file]
    assert main([str(word) for word in [*words, "--start", "scunet"]]) == 0
    assert "usenhance enhance" in capsys.readouterr().out
    start = find_model(tmp_path / "run" / "model").metadata["training"]["start"]
    assert start["sha256"] == find_model("scunet").sha256
    assert start["sha256"] in (tmp_path / "run" / "model" / "docs" / "README.md").read_text()


def test_what_pairs_have_no_use_for_is_refused(data, tmp_path):
    with pytest.raises(OptionError, match="--targets"):
        loop.train(data, tmp_path / "run", recipe=RECIPE, targets=tmp_path)
    with pytest.raises(InputError, match="usenhance simulate"):
        loop.train(tmp_path, tmp_path / "run", recipe=RECIPE)
    assert not (tmp_path / "run").exists()
