"""Training of the mean-reverting diffusion on simulated pairs, and despeckling with what it gives."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from USEnhanceLib import load_enhancer
from USEnhanceLib.cli import arguments, main
from USEnhanceLib.diffusion import Prediction, Schedule
from USEnhanceLib.enhancement import packages_of
from USEnhanceLib.errors import InputError, OptionError
from USEnhanceLib.models import find_model, save_model
from USEnhanceLib.networks import DiffusionEnsemble
from USEnhanceLib.training import loop
from USEnhanceLib.training.checkpoint import load_checkpoint
from USEnhanceLib.training.diffusion_recipe import DiffusionRecipe
from USEnhanceLib.training.display_variation import DisplayVariation
from USEnhanceLib.training.noise_objective import NoiseObjective
from USEnhanceLib.training.pair_patches import PairPatches
from USEnhanceLib.training.pairs import read_pairs
from USEnhanceLib.training.trainable import TRAINABLE

TINY = {"channels": [8, 16], "blocks": 1, "groups": 4, "head_channels": 8}
RECIPE = DiffusionRecipe(
    network_options=TINY,
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


def test_pairs_of_other_subjects_are_held_out(data):
    pairs = read_pairs(data, (), 100)
    assert len(pairs.learned) > len(pairs.held_out) > 0
    learned = {pair.tobytes() for pair in pairs.learned}
    assert not learned & {pair.tobytes() for _, pair in pairs.held_out}
    assert pairs.probes == ("P6-3",)


def test_a_folder_without_pairs_is_refused(data, tmp_path):
    with pytest.raises(InputError, match="usenhance simulate"):
        read_pairs(tmp_path, (), 1)
    with pytest.raises(InputError, match="L11-5v"):
        read_pairs(data, ("L11-5v",), 1)


def test_patches_are_cut_from_both_frames_at_one_place():
    frame = np.arange(40 * 40, dtype=np.float32).reshape(40, 40) / 1600
    source = PairPatches([np.stack((frame, 1 - frame))], 16)
    speckled, clean = source.draw(8, torch.Generator().manual_seed(0))
    assert speckled.shape == (8, 16, 16)
    assert torch.allclose(speckled + clean, torch.ones_like(clean))


def test_displays_are_the_same_for_both_frames_and_keep_black_black():
    variation = DisplayVariation((0.4, 0.9), (-0.2, 0.1), (1.0, 2.0))
    frame = np.linspace(0.3, 0.9, 40 * 40, dtype=np.float32).reshape(40, 40)
    frame[:, :20] = 0
    source = PairPatches([np.stack((frame, frame))], 32, variation)
    speckled, clean = source.draw(32, torch.Generator().manual_seed(0))
    assert speckled.shape == (32, 32, 32)
    assert torch.equal(speckled, clean)
    assert float(speckled.max()) <= 0.9 * 0.9 + 0.1
    assert (speckled == 0).flatten(1).any(1).sum() > 16
    levels = speckled.flatten(1).amax(1)
    assert levels.std() > 0.05
    # Without a variation the draws are those that there were before there was any.
    plain = PairPatches([np.stack((frame, frame))], 32)
    assert torch.equal(
        plain.draw(4, torch.Generator().manual_seed(1))[0],
        PairPatches([np.stack((frame, frame))], 32, DisplayVariation()).draw(
            4, torch.Generator().manual_seed(1)
        )[0],
    )


@pytest.mark.parametrize(
    "entry",
    [{"gain": [0.5]}, {"gain": [1.2, 0.5]}, {"gain": [-1, 1]}, {"offset": [0, 2]}, {"zoom": [0.5, 1]}],
)
def test_ranges_of_displays_that_make_no_sense_are_refused(entry, tmp_path):
    (tmp_path / "recipe.json").write_text(json.dumps(entry))
    with pytest.raises(OptionError, match=next(iter(entry))):
        DiffusionRecipe.load(tmp_path / "recipe.json")


def test_a_run_writes_a_model_that_despeckles(model, data):
    description = find_model(model)
    assert description.architecture == "DiffusionUNet"
    assert set(packages_of(model)) == {"torch", "safetensors", "monai", "einops"}
    header = (model.parent / "curve.csv").read_text().splitlines()[0]
    assert header == "step,loss,psnr_simulated,ssim_simulated,seconds,cpu_seconds"
    card = (model / "docs" / "README.md").read_text()
    assert card.startswith("# IR-SDE")
    assert "P6-3" in card
    assert "{" not in card
    enhancer = load_enhancer(model, "cpu", steps=2)
    frames = np.random.default_rng(1).random((2, 40, 52), dtype=np.float32)
    first, again = (enhancer(frames, seed=3) for _ in range(2))
    assert first.frames.shape == frames.shape
    assert first.frames.min() >= 0
    assert first.frames.max() <= 1
    assert first.parameters["steps"] == 2
    np.testing.assert_array_equal(first.frames, again.frames)
    assert first.uncertainty is None
    with pytest.raises(OptionError, match="no uncertainty"):
        enhancer(frames, uncertainty=True)
    with pytest.raises(OptionError, match="between 1 and 80 steps"):
        load_enhancer(model, "cpu", steps=81)


def test_a_resumed_run_goes_on_as_if_it_had_not_ended(model, data, tmp_path):
    short = dataclasses.replace(RECIPE, steps=2)
    loop.train(data, tmp_path, recipe=short)
    recipe = json.loads((tmp_path / loop.RECIPE).read_text())
    (tmp_path / loop.RECIPE).write_text(json.dumps({**recipe, "steps": 4}))
    loop.train(data, tmp_path, network="irsde", resume=True)
    # All steps are in the warm-up, where the learning rate does not depend on their number.
    whole, resumed = (load_checkpoint(folder)["network"] for folder in (model.parent, tmp_path))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_the_command_line_trains_it(data, tmp_path, capsys):
    RECIPE.save(tmp_path / "recipe.json")
    words = [
        "train",
        "irsde",
        "--data",
        data,
        "--out",
        tmp_path / "run",
        "--recipe",
        tmp_path / "recipe.json",
    ]
    assert main([str(word) for word in words]) == 0
    assert "usenhance enhance" in capsys.readouterr().out
    assert find_model(tmp_path / "run" / "model").name == "model"


def test_the_command_line_offers_every_network():
    assert set(arguments.TRAINABLE) == set(TRAINABLE)


def test_a_patch_larger_than_the_frames_is_refused(data, tmp_path):
    recipe = dataclasses.replace(RECIPE, patch=65)
    with pytest.raises(OptionError, match="smaller patch"):
        loop.train(data, tmp_path / "run", recipe=recipe)
    assert not (tmp_path / "run").exists()


def test_targets_are_for_other_networks(data, tmp_path):
    with pytest.raises(OptionError, match="--targets"):
        loop.train(data, tmp_path / "run", recipe=RECIPE, targets=tmp_path)


def test_an_ensemble_gives_its_mean_and_its_spread(tmp_path):
    torch.manual_seed(0)
    network = DiffusionEnsemble(members=2, **TINY)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    settings = {"times": 20, "level": 0.2, "remainder": 0.005, "prediction": "velocity"}
    settings |= {"sampler": "mean", "steps": 1}
    folder = tmp_path / "ensemble"
    save_model(folder, network, name="e", version="1", card="c", licence="l", inference=settings)
    frames = np.random.default_rng(2).random((1, 16, 16), dtype=np.float32)
    both = load_enhancer(folder, "cpu")(frames)
    black = load_enhancer(folder, "cpu")(np.zeros_like(frames))
    assert not black.uncertainty.any()
    alone = load_enhancer(folder, "cpu", samples=1)(frames)
    assert alone.uncertainty is None
    assert both.uncertainty.shape == frames.shape
    other = 2 * both.frames - alone.frames
    variance = gaussian_filter(np.square(other - alone.frames, dtype=np.float64) / 2, (0, 1, 1))
    np.testing.assert_allclose(both.uncertainty, np.sqrt(variance), atol=1e-5)
    with pytest.raises(OptionError, match="2 members"):
        load_enhancer(folder, "cpu", samples=3)


@pytest.mark.parametrize("prediction", ["noise", "velocity"])
def test_the_published_loss_is_the_distance_of_the_means(prediction):
    """By hand: the mean of the posterior of x_s with the predicted x_0 against that with the true one."""
    schedule = Schedule()
    generator = torch.Generator().manual_seed(0)
    clean, mu, noise, wrong = (torch.rand((3, 1, 8, 8), generator=generator) for _ in range(4))
    ratios = []
    for time in (1, 30, 100):
        times = torch.full((3,), time)
        objective = NoiseObjective(schedule, prediction, "path")
        errors, penalties = objective(lambda z, mu, times: wrong, (clean, mu, times, noise))
        state = schedule.diffuse(clean, mu, times, noise)
        say = Prediction(lambda z, mu, times: wrong, schedule, prediction)
        found = schedule.clean_from_noise(state, mu, say(state, mu, time), time)
        now, then = float(schedule.share[time]), float(schedule.share[time - 1])
        weight = then * (1 - (now / then) ** 2) / (1 - now**2)
        distance = (weight * (found - clean)).abs().mean((1, 2, 3))
        ratios.append(float((penalties / distance).mean()))
        assert bool((errors > 0).all())
    assert ratios == pytest.approx([ratios[0]] * 3, rel=1e-3)
