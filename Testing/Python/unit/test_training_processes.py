"""A run that is really killed goes on bit by bit, and two processes learn what one would."""

from __future__ import annotations

import csv
import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from USEnhanceLib.classical.nllr import NLLRParameters
from USEnhanceLib.training import loop
from USEnhanceLib.training.checkpoint import load_checkpoint
from USEnhanceLib.training.curve import CURVE, add_to_curve, cut_curve
from USEnhanceLib.training.phantoms import PhantomSource
from USEnhanceLib.training.processes import Processes
from USEnhanceLib.training.recipe import TrainingRecipe
from USEnhanceLib.training.self_supervision import draw_batch

SCORES = ("psnr", "ssim")
RECIPE = TrainingRecipe(
    network_options={"dim": 16, "config": [1] * 7, "head_dim": 8},
    steps=6,
    batch=3,  # shared by two processes as two and one
    precision="fp32",
    report_every=1,
    nllr=NLLRParameters(iterations=1),
)
TIMES = ("seconds", "cpu_seconds")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small generated frames."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for i in range(4):
        ramp = np.linspace(40, 180, 72)[:, None] * rng.uniform(0.5, 1.2, (72, 80))
        Image.fromarray(ramp.clip(0, 255).astype(np.uint8)).save(folder / f"{i}.png")
    return folder


def command(data: Path, out: Path, recipe: TrainingRecipe) -> list[str]:
    """The words after `python -m` that train by a recipe."""
    file = out.with_suffix(".json")
    recipe.save(file)
    words = ("USEnhanceLib.cli", "train", "scunet", "--data", data, "--out", out, "--recipe", file)
    return [*map(str, words), "--targets", str(data / "targets")]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}


def curve(out: Path) -> list[dict[str, str]]:
    with (out / CURVE).open() as stream:
        return [{k: v for k, v in row.items() if k not in TIMES} for row in csv.DictReader(stream)]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_run_that_was_killed_at_any_moment_has_the_curve_of_one_that_was_not(
    data: Path, tmp_path: Path, repository: Path
) -> None:
    recipe = dataclasses.replace(RECIPE, steps=12, validate_every=5, save_every=4)
    out = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-m", *command(data, out, recipe)],
        cwd=repository,
        env=environment(),
        stdout=subprocess.DEVNULL,
    )
    rows = random.randrange(1, 10)
    while process.poll() is None:
        if (out / CURVE).is_file() and len((out / CURVE).read_text().splitlines()) > rows:
            time.sleep(random.uniform(0, 0.1))
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.01)
    assert process.wait() == -signal.SIGKILL

    loop.train(data, out, resume=True, targets=data / "targets")
    loop.train(data, tmp_path / "whole", recipe=recipe, targets=data / "targets")
    assert curve(out) == curve(tmp_path / "whole")
    assert len(curve(out)) == 12 + 2
    resumed, whole = (load_checkpoint(folder) for folder in (out, tmp_path / "whole"))
    for part in ("network", "average"):
        for name, value in whole[part].items():
            assert torch.equal(value, resumed[part][name]), name


def test_two_processes_have_the_curve_of_one(data: Path, tmp_path: Path, repository: Path) -> None:
    both = tmp_path / "both"
    subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"),
            *command(data, both, RECIPE),
        ],
        cwd=repository,
        env=environment(),
        check=True,
        capture_output=True,
    )
    loop.train(data, tmp_path / "one", recipe=RECIPE, targets=data / "targets")
    losses = [[float(row["loss"]) for row in curve(tmp_path / name)] for name in ("both", "one")]
    assert len(losses[0]) == RECIPE.steps
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    together, alone = (load_checkpoint(tmp_path / name)["network"] for name in ("both", "one"))
    for name, value in alone.items():
        assert torch.allclose(value, together[name], atol=1e-4), name
    assert "2 processes" in (both / loop.MODEL / "docs" / "README.md").read_text()


def test_every_patch_of_a_batch_is_worked_on_once() -> None:
    batch = torch.arange(7)
    shares = [Processes(rank, 3).share(batch) for rank in range(3)]
    assert sorted(torch.cat(shares).tolist()) == batch.tolist()
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_curve_that_was_cut_off_while_it_was_written_is_mended(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        add_to_curve(tmp_path, {"step": step, "loss": 0.5}, SCORES)
    header, *rows = (tmp_path / CURVE).read_text().splitlines(keepends=True)
    for broken, kept in (
        ("", 0),
        (header[:5], 0),
        (header + rows[0] + rows[1][:3], 1),
        (header + "".join(rows), 2),
    ):
        (tmp_path / CURVE).write_text(broken)
        cut_curve(tmp_path, 2, SCORES)
        assert (tmp_path / CURVE).read_text() == header + "".join(rows[:kept])


class PhantomsAlone:
    """A task without files."""

    recipe = dataclasses.replace(RECIPE, steps=5)

    def draw(self, step):
        return draw_batch([(PhantomSource(16), 2)], self.recipe, step)


def test_patches_do_not_depend_on_what_was_drawn_before() -> None:
    task = PhantomsAlone()
    batches = list(loop.batches(task, 0))
    assert len(batches) == 5
    for resumed, whole in zip(loop.batches(task, 3), batches[3:], strict=True):
        assert all(map(torch.equal, resumed, whole))
    assert not torch.equal(batches[0][0], batches[1][0])
