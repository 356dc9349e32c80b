"""Joining diffusion networks that were trained apart to one model."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from USEnhanceLib import load_enhancer
from USEnhanceLib.cli import main
from USEnhanceLib.errors import InputError, ModelError, OptionError
from USEnhanceLib.models import CARD, LICENSE, METADATA, WEIGHTS, find_model, load_network, save_model
from USEnhanceLib.networks import DiffusionUNet, DnCNN
from USEnhanceLib.training.diffusion_recipe import DiffusionRecipe
from USEnhanceLib.training.ensemble import join_members

TINY = {"channels": [8, 16], "blocks": 1, "groups": 4, "head_channels": 8}
INFERENCE = {"times": 20, "level": 0.2, "remainder": 0.005, "prediction": "velocity"}
INFERENCE |= {"sampler": "mean", "steps": 2}


def trained(folder: Path, seed: int, inference: dict[str, Any] | None = None, **options: Any) -> Path:
    """A model as a run writes it, with random weights."""
    torch.manual_seed(seed)
    network = DiffusionUNet(**TINY | options)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    recipe = DiffusionRecipe(network_options=TINY, seed=seed, learning_rate=seed * 1e-4, probes=("P6-3",))
    training = {
        "recipe": asdict(recipe),
        "steps": 4000 + seed,
        "start": {},
        "hours": 1.25,
        "cpu_hours": 2.0,
        "machine": "a machine",
        "validation": {"psnr_simulated": 20 + seed, "ssim_simulated": 0.5},
    }
    save_model(
        folder,
        network,
        name="irsde",
        version="0.1.0",
        card="",
        licence="Own terms\n",
        inference=INFERENCE | (inference or {}),
        details={"data_source": "simulated from MRI of A", "training": training},
    )
    return folder


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("members")
    return [trained(folder / str(seed), seed) for seed in (1, 2, 3)]


def test_the_joined_model_gives_the_mean_of_its_members(members, tmp_path, capsys):
    out = tmp_path / "joined"
    assert main(["models", "join", str(out), *map(str, members)]) == 0
    assert str(out) in capsys.readouterr().out
    frames = np.random.default_rng(0).random((2, 24, 20), dtype=np.float32)
    answers = [load_enhancer(member, "cpu")(frames).frames for member in members]
    joined = load_enhancer(out, "cpu")(frames)
    np.testing.assert_allclose(joined.frames, np.mean(answers, 0), atol=1e-6)
    variance = gaussian_filter(np.var(answers, 0, ddof=1, dtype=np.float64), (0, 1, 1))
    np.testing.assert_allclose(joined.uncertainty, np.sqrt(variance), atol=1e-5)
    assert np.abs(answers[0] - answers[1]).max() > 0.01
    assert main(["models", "verify", str(out)]) == 0


def test_it_has_the_members_weights_and_tells_of_their_training(members, tmp_path):
    model = join_members(tmp_path / "joined", members)
    assert model.architecture == "DiffusionEnsemble"
    assert model.options["members"] == 3
    assert dict(model.inference) == INFERENCE
    for part, member in zip(load_network(model).members, members, strict=True):
        own = load_network(find_model(member)).state_dict()
        assert all(torch.equal(value, own[name]) for name, value in part.state_dict().items())
    told = model.metadata["training"]["members"]
    assert [entry["sha256"] for entry in told] == [find_model(member).sha256 for member in members]
    assert [entry["recipe"]["seed"] for entry in told] == [1, 2, 3]
    card = (model.folder / CARD).read_text()
    assert "simulated from MRI of A |" in card
    assert "| loss | plain |" in card
    for entry in told:
        (row,) = [line for line in card.splitlines() if entry["sha256"][:12] in line]
        rate = json.dumps(entry["recipe"]["learning_rate"])
        words = f" {entry['recipe']['seed']} | {rate} | {entry['steps']} | 1.25 | random weights | a machine "
        assert words in row
        assert f"{entry['validation']['psnr_simulated']:.2f} dB | 0.500 |" in row
    assert (model.folder / LICENSE).read_text() == "Own terms\n"


@pytest.mark.parametrize(
    ("inference", "options", "word"),
    [
        ({"level": 0.1}, {}, "differ in level"),
        ({"times": 30, "prediction": "noise"}, {}, "differ in times, prediction"),
        ({"uncertainty_scale": 2.0}, {}, "differ in uncertainty_scale"),
        ({}, {"channels": [8, 8]}, "different sizes"),
    ],
)
def test_members_that_do_not_go_together_are_refused(inference, options, word, members, tmp_path):
    other = trained(tmp_path / "other", 4, inference, **options)
    with pytest.raises(OptionError, match=word):
        join_members(tmp_path / "joined", [members[0], other])
    assert not (tmp_path / "joined").exists()


def test_the_same_weights_are_taken_once(members, tmp_path):
    shutil.copytree(members[0], tmp_path / "copy")
    with pytest.raises(OptionError, match="same weights"):
        join_members(tmp_path / "joined", [members[0], members[1], tmp_path / "copy"])


def test_only_single_diffusions_are_joined(members, tmp_path):
    save_model(tmp_path / "dncnn", DnCNN(3, 4), name="d", version="1", card="", licence="")
    join_members(tmp_path / "ensemble", members[:2])
    for name in ("dncnn", "ensemble"):
        with pytest.raises(OptionError, match="train irsde"):
            join_members(tmp_path / "joined", [members[2], tmp_path / name])
    with pytest.raises(OptionError, match="two members"):
        join_members(tmp_path / "joined", members[:1])


def test_damaged_members_and_those_of_unknown_origin_are_refused(members, tmp_path):
    for name in ("damaged", "unknown"):
        shutil.copytree(members[0], tmp_path / name)
    (tmp_path / "damaged" / WEIGHTS).write_bytes(b"")
    metadata = json.loads((tmp_path / "unknown" / METADATA).read_text())
    del metadata["training"]
    (tmp_path / "unknown" / METADATA).write_text(json.dumps(metadata))
    for name, word in (("damaged", "damaged"), ("unknown", "how it was trained")):
        with pytest.raises(ModelError, match=word):
            join_members(tmp_path / "joined", [members[1], tmp_path / name])
    assert not (tmp_path / "joined").exists()


def test_a_folder_that_holds_something_is_left_alone(members, tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        join_members(tmp_path, members)
    assert main(["models", "join", str(tmp_path), *map(str, members)]) == 2
    assert main(["models", "join", str(tmp_path / "new"), str(members[0])]) == 2
    assert main(["models", "join"]) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
