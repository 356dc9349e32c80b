"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real, licensed ultrasound that the repository does not hold."""
    folder = Path(os.environ.get("USENHANCE_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "psfhs" / "split.csv").is_file():
        pytest.skip(f"the ultrasound data are not at {folder} (set USENHANCE_DATA)")
    return folder


@pytest.fixture(scope="session")
def drawn_mri(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the folder `mri` of one slice each of ten subjects, made of squares."""
    import numpy as np
    from PIL import Image

    folder = tmp_path_factory.mktemp("drawn")
    rng = np.random.default_rng(0)
    (folder / "mri" / "drawn").mkdir(parents=True)
    for subject in range(10):
        slices = np.kron(rng.integers(20, 255, (8, 8)), np.ones((16, 16))).astype(np.uint8)
        Image.fromarray(slices).save(folder / "mri" / "drawn" / f"{subject}_0.png")
    return folder


@pytest.fixture(scope="session")
def drawn_pairs(drawn_mri: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of the fast engine, simulated from `drawn_mri`."""
    from USEnhanceLib.simulation.dataset import make_data_set
    from USEnhanceLib.simulation.manifest import plan

    folder = tmp_path_factory.mktemp("pairs")
    make_data_set(plan(drawn_mri / "mri", ["P6-3"], 24, engine="fast", size=64), drawn_mri / "mri", folder)
    return folder


@pytest.fixture(scope="session")
def tiny_ensemble(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real diffusion model of two very small networks, whose answers differ."""
    import torch

    from USEnhanceLib.models import save_model
    from USEnhanceLib.networks import DiffusionEnsemble

    torch.manual_seed(0)
    network = DiffusionEnsemble(members=2, channels=[8, 16], blocks=1, groups=4, head_channels=8)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    settings = {"times": 20, "level": 0.2, "remainder": 0.005, "prediction": "velocity"}
    settings |= {"sampler": "mean", "steps": 1}
    folder = tmp_path_factory.mktemp("models") / "ensemble"
    save_model(folder, network, name="ensemble", version="1", card="c", licence="l", inference=settings)
    return folder
