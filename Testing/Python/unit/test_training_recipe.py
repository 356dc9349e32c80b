"""Recipes: what they may hold, in JSON and in YAML, and what they say when they are wrong."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from USEnhanceLib.classical.nllr import NLLRParameters
from USEnhanceLib.errors import InputError, OptionError
from USEnhanceLib.training import loop
from USEnhanceLib.training.recipe import FIRST_NLLR, TrainingRecipe
from USEnhanceLib.training.sheet import GAP, LINE, Panel, write_sheet
from USEnhanceLib.training.tasks import read_recipe


def recipe_file(folder: Path, text: str, name: str = "recipe.json") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def test_a_saved_recipe_comes_back(tmp_path: Path) -> None:
    recipe = TrainingRecipe(network="dncnn", network_options={"depth": 5}, balanced=True, learning_rate=3e-4)
    recipe.save(tmp_path / "recipe.json")
    assert TrainingRecipe.load(tmp_path / "recipe.json") == recipe


def test_yaml_and_json_mean_the_same(tmp_path: Path) -> None:
    json = recipe_file(
        tmp_path,
        '{"steps": 9, "learning_rate": 1e-3, "degradation": {"sigma": [0, 0.1]}, "nllr": {"patch": 5}}',
    )
    yaml = recipe_file(
        tmp_path,
        "steps: 9  # a remark\nlearning_rate: 1e-3\ndegradation:\n  sigma: [0, 1e-1]\nnllr: {patch: 5}\n",
        "recipe.yaml",
    )
    recipe = TrainingRecipe.load(yaml)
    assert recipe == TrainingRecipe.load(json)
    assert recipe.learning_rate == 1e-3
    assert recipe.degradation.sigma == (0.0, 0.1)


def test_an_empty_yaml_file_is_the_default_recipe(tmp_path: Path) -> None:
    assert TrainingRecipe.load(recipe_file(tmp_path, "# nothing\n", "recipe.yml")) == TrainingRecipe()


def test_recipes_from_before_there_were_several_networks_load(tmp_path: Path) -> None:
    file = recipe_file(
        tmp_path,
        '{"dim": 32, "config": [2, 2, 2, 2, 2, 2, 2], "head_dim": 16, "degradation": {"g": [0, 0.3]}}',
    )
    recipe = TrainingRecipe.load(file)
    assert recipe.network == "scunet"
    assert recipe.network_options == {"dim": 32, "config": [2] * 7, "head_dim": 16}
    assert recipe.degradation.g == (0, 0.3)
    with pytest.raises(OptionError, match="recipe for scunet"):
        TrainingRecipe.load(file, "dncnn")


def test_targets_of_old_recipes_are_those_of_todays_filter(tmp_path: Path) -> None:
    entries = ", ".join(f'"{name}": 1' for name in sorted(FIRST_NLLR))
    assert TrainingRecipe.load(recipe_file(tmp_path, f'{{"nllr": {{{entries}}}}}')).nllr == NLLRParameters()


def test_recipes_of_shipped_models_load(repository: Path) -> None:
    files = list((repository / "Resources" / "Models").glob("*/docs/recipe*.json"))
    assert files
    for file in files:
        assert read_recipe(file, None).steps > 0


def test_a_recipe_that_names_no_network_serves_all(tmp_path: Path) -> None:
    file = recipe_file(tmp_path, '{"steps": 3}')
    assert TrainingRecipe.load(file, "msann") == dataclasses.replace(
        TrainingRecipe(), network="msann", steps=3
    )
    assert TrainingRecipe.load(file).network == "scunet"


def test_a_recipe_for_another_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="recipe for dncnn: give one for msann"):
        TrainingRecipe.load(recipe_file(tmp_path, '{"network": "dncnn"}'), "msann")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('{"stepz": 3}', "stepz"),
        ('{"steps": "many"}', "steps is 'many'"),
        ('{"steps": true}', "steps is True"),
        ('{"steps": 0}', "steps out of range"),
        ('{"learning_rate": "fast"}', "fast"),
        ('{"precision": "fp8"}', "precision out of range"),
        ('{"natural_share": 0.8, "phantom_share": 0.4}', "natural_share . phantom_share"),
        ('{"degradation": {"sigmas": [0, 1]}}', "sigmas"),
        ('{"network_options": 3}', "network_options"),
        ("[1]", "is no recipe"),
    ],
)
def test_what_is_wrong_in_a_recipe_is_named(text: str, word: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=word) as failure:
        TrainingRecipe.load(recipe_file(tmp_path, text))
    assert "recipe.json" in str(failure.value)


def test_wrong_yaml_is_told_of_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"recipe\.yaml is no recipe") as failure:
        TrainingRecipe.load(recipe_file(tmp_path, "steps: [1\nbatch: 3", "recipe.yaml"))
    assert "\n" not in str(failure.value)


def test_a_run_is_resumed_by_its_own_recipe_alone(tmp_path: Path) -> None:
    TrainingRecipe(steps=7).save(tmp_path / loop.RECIPE)
    with pytest.raises(OptionError, match="another recipe"):
        loop.train(tmp_path, tmp_path, recipe=TrainingRecipe(steps=8), resume=True)
    with pytest.raises(OptionError, match="recipe for scunet"):
        loop.train(tmp_path, tmp_path, network="dncnn", resume=True)
    with pytest.raises(InputError, match="give a folder of DICOM"):  # the recipe is right, there are no data
        loop.train(tmp_path, tmp_path, recipe=TrainingRecipe(steps=7), resume=True)


def test_a_picture_sheet_shows_input_output_and_target_pixel_for_pixel(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 256, (2, 3, 30, 40), dtype=np.uint8)
    panels = [Panel("a row", tuple((row / 255).astype(np.float32))) for row in levels]
    write_sheet(tmp_path / "sheets" / "step-1.png", panels, "step 1")
    with Image.open(tmp_path / "sheets" / "step-1.png") as picture:
        sheet = np.asarray(picture)
    for row in range(2):
        top = 2 * LINE + row * (LINE + 30)
        for column in range(3):
            left = GAP + column * (40 + GAP)
            np.testing.assert_array_equal(sheet[top : top + 30, left : left + 40], levels[row, column])
