"""Fixtures that every test may use."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def draw_structures(frames: int = 3, rows: int = 96, columns: int = 128, seed: int = 0) -> tuple[Any, Any]:
    """Frames of a bright symphysis and a grey head, coming down, in dark speckle: pixels and their labels.

    Pixels are float32 in 0..1, labels uint8 with the values of PSFHS, both [N, H, W].
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns] / rows
    labels = np.zeros((frames, rows, columns), np.uint8)
    for frame, shift in zip(labels, np.linspace(0.0, 0.12, frames), strict=True):
        along, across = (x - 0.4) * 0.96 + (y - 0.25) * 0.28, (y - 0.25) * 0.96 - (x - 0.4) * 0.28
        frame[((x - 0.5 - shift) / 0.34) ** 2 + ((y - 0.68) / 0.26) ** 2 < 1] = 2
        frame[(along / 0.18) ** 2 + (across / 0.07) ** 2 < 1] = 1
    tissue = np.array([0.2, 0.85, 0.5])[labels]
    pixels = tissue * rng.gamma(20.0, 1 / 20.0, labels.shape)
    return pixels.clip(0.01, 1).astype(np.float32), labels


@pytest.fixture(scope="session")
def drawn_structures() -> Callable[..., tuple[Any, Any]]:
    """drawn_structures(frames, rows, columns, seed): `draw_structures`."""
    return draw_structures


def train_segmenter(folder: Path) -> Path:
    """Save a very small network that outlines what `draw_structures` draws, and return its folder."""
    import torch

    from USEnhanceLib.models import save_model
    from USEnhanceLib.networks import StructureUNet

    torch.manual_seed(0)
    network = StructureUNet(channels=[8, 16, 16], unshuffle=4).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-2)
    weight = torch.tensor([1.0, 5.0, 2.0])
    for step in range(60):
        pixels, labels = map(torch.from_numpy, draw_structures(2, 192, 256, seed=step))
        loss = torch.nn.functional.cross_entropy(network(pixels[:, None]), labels.long(), weight)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    save_model(folder, network, name="outliner", version="1", card="c", licence="l", task="segmentation")
    return folder


@pytest.fixture(scope="session")
def tiny_segmenter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real, very small network that has learned to outline what `draw_structures` draws."""
    return train_segmenter(tmp_path_factory.mktemp("models") / "outliner")
