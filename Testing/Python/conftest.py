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
