"""Weights are data: verified, never unpickled, and only of architectures that we know."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from USEnhanceLib.errors import ModelError, OptionError
from USEnhanceLib.models import (
    METADATA,
    MODELS_VARIABLE,
    SHIPPED,
    WEIGHTS,
    find_model,
    list_models,
    load_network,
    models_folder,
    save_model,
    verify,
)
from USEnhanceLib.networks import SCUNet


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_model(tmp_path / "tiny", SCUNet(16, [1] * 7, 8), name="tiny", version="1", card="c", licence="l")
    return tmp_path / "tiny"


def edit_metadata(folder: Path, **changes: object) -> None:
    metadata = json.loads((folder / METADATA).read_text())
    (folder / METADATA).write_text(json.dumps({**metadata, **changes}))


def test_saved_weights_come_back_in_half_precision(tmp_path: Path) -> None:
    network = SCUNet(16, [1] * 7, 8)
    loaded = load_network(save_model(tmp_path, network, name="n", version="1", card="c", licence="l"))
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value.half().float())
    assert not loaded.training


def test_every_shipped_model_has_its_recorded_hash_and_loads() -> None:
    assert [description.name for description in list_models()] == sorted(SHIPPED)
    for description in list_models():
        verify(description)
        load_network(description)


def test_shipped_hash_is_that_of_the_registry_not_of_the_folder(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = next(iter(SHIPPED))
    shutil.copytree(model_folder, tmp_path / "models" / name)
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path / "models"))
    with pytest.raises(ModelError, match="altered"):
        verify(find_model(name))


def test_one_altered_byte_is_noticed(model_folder: Path) -> None:
    weights = bytearray((model_folder / WEIGHTS).read_bytes())
    weights[len(weights) // 2] ^= 1
    (model_folder / WEIGHTS).write_bytes(weights)
    with pytest.raises(ModelError, match="damaged or were altered"):
        load_network(find_model(model_folder))


def test_truncated_weights_are_noticed(model_folder: Path) -> None:
    (model_folder / WEIGHTS).write_bytes((model_folder / WEIGHTS).read_bytes()[:-100])
    with pytest.raises(ModelError, match="damaged"):
        load_network(find_model(model_folder))


def test_missing_weights_are_named(model_folder: Path) -> None:
    (model_folder / WEIGHTS).unlink()
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        load_network(find_model(model_folder))


def test_a_folder_that_is_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is no model"):
        find_model(tmp_path)


def test_broken_metadata_are_named(model_folder: Path) -> None:
    (model_folder / METADATA).write_text("{")
    with pytest.raises(ModelError, match="metadata"):
        find_model(model_folder)


def test_classes_outside_our_registry_are_refused(model_folder: Path) -> None:
    edit_metadata(model_folder, network={"architecture": "torch.nn.Linear", "options": {}})
    with pytest.raises(ModelError, match="unknown architecture"):
        load_network(find_model(model_folder))


def test_weights_of_another_size_are_refused(model_folder: Path) -> None:
    edit_metadata(model_folder, network={"architecture": "SCUNet", "options": {"dim": 32, "head_dim": 16}})
    with pytest.raises(ModelError, match="do not fit"):
        load_network(find_model(model_folder))


def test_a_pickle_in_place_of_weights_is_never_run(model_folder: Path, tmp_path: Path) -> None:
    """Even with a matching hash in its own metadata."""
    import hashlib

    witness = tmp_path / "witness"

    class Payload:
        def __reduce__(self) -> tuple:
            return (Path.touch, (witness,))

    torch.save({"m_head.0.weight": Payload()}, model_folder / WEIGHTS)
    edit_metadata(model_folder, sha256=hashlib.sha256((model_folder / WEIGHTS).read_bytes()).hexdigest())
    with pytest.raises(ModelError):
        load_network(find_model(model_folder))
    assert not witness.exists()


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(OptionError, match="Unknown method 'nothing'"):
        find_model("nothing")


def test_models_lie_beside_the_package(repository: Path) -> None:
    assert models_folder() == repository / "Resources" / "Models"
