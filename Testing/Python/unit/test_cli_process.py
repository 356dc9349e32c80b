"""The command `usenhance` as a process of its own: streams, signals, limits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK
import torch

from USEnhanceLib import __version__
from USEnhanceLib.models import save_model
from USEnhanceLib.networks import SCUNet

COMMAND = [sys.executable, "-m", "USEnhanceLib.cli"]
SECONDS = 240


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The folder of a tiny untrained network."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    network = SCUNet(dim=8, config=[1] * 7, head_dim=4)
    save_model(folder, network, name="tiny", version="7", card="# Tiny\n", licence="Apache-2.0\n")
    return folder


@pytest.fixture
def environment(repository):
    """The environment of the process: the checkout on the path, one thread."""
    return {**os.environ, "PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def run(environment):
    """Runs the command to its end."""

    def run(*words, **options):
        command = [*COMMAND, *map(str, words)]
        options = {"timeout": SECONDS, "env": environment, **options}
        return subprocess.run(command, capture_output=True, text=True, check=False, **options)

    return run


def write_speckle(path, shape):
    """Write frames full of speckle."""
    speckle = np.clip(np.random.default_rng(0).rayleigh(60, shape), 1, 255).astype(np.uint8)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(speckle), str(path))
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_version(run):
    result = run("--version")
    assert (result.returncode, result.stdout, result.stderr) == (0, f"usenhance {__version__}\n", "")


def test_help_loads_nothing_heavy(environment):
    code = (
        "import sys; from USEnhanceLib.cli import main; main(['bench', '--help']); "
        "heavy = {'torch', 'monai', 'SimpleITK', 'skimage', 'PIL', 'scipy'} & set(sys.modules); "
        "sys.exit(' '.join(heavy) or 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_what_libraries_print_about_a_damaged_file_is_not_shown(run, model, tmp_path):
    picture = write_speckle(tmp_path / "frame.jpg", (64, 64))
    picture.write_bytes(picture.read_bytes()[:40])
    result = run("enhance", picture, tmp_path / "out.nrrd", "--method", model)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("usenhance: frame.jpg")
    shown = run("enhance", picture, tmp_path / "out.nrrd", "--method", model, "--debug")
    assert "Traceback" in shown.stderr
    assert "JPEG" in shown.stdout + shown.stderr.partition("Traceback")[0]


def test_names_that_the_terminal_cannot_show_are_no_reason_to_fail(run, environment, tmp_path):
    result = run(
        "enhance", tmp_path / "Schädel.dcm", "o.nrrd", env={**environment, "PYTHONIOENCODING": "ascii"}
    )
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1


def test_a_reader_that_goes_away_is_no_error_to_speak_of(environment, model):
    command = [*COMMAND, "models", "list", str(model)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such streams")
def test_closed_streams_do_not_change_the_exit_code(environment, model):
    script = f'"{sys.executable}" -m USEnhanceLib.cli models verify "{model}" >&- 2>&-'
    assert subprocess.run(script, shell=True, check=False, env=environment).returncode == 0
    script = f'"{sys.executable}" -m USEnhanceLib.cli enhance >&- 2>&-'
    assert subprocess.run(script, shell=True, check=False, env=environment).returncode == 2


@pytest.fixture
def heard_interrupts():
    """Processes that a shell put into the background ignore Ctrl-C, and so would those that they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send Ctrl-C to one process")
def test_ctrl_c_leaves_nothing_behind(environment, model, tmp_path, heard_interrupts):
    source = write_speckle(tmp_path / "long.nrrd", (2000, 64, 64))
    words = ["enhance", source, tmp_path / "out.nrrd", "--method", model]
    with subprocess.Popen(
        [*COMMAND, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
        start_new_session=True,
    ) as process:
        for line in process.stdout:
            if line.startswith("Device:"):
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert errors.startswith("usenhance: Cancelled")
    assert errors.count("\n") == 1
    assert names(tmp_path) == ["long.nrrd"]
