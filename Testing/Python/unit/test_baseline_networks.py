"""DnCNN, Restormer and MSANN: sizes, gradients, precision, saving, and what each paper promises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from USEnhanceLib.models import load_network, save_model
from USEnhanceLib.networks import ARCHITECTURES, MSANN, DnCNN, Restormer
from USEnhanceLib.networks.restormer import TransposedAttention

SMALL = {
    "DnCNN": lambda: DnCNN(4, 8),
    "Restormer": lambda: Restormer(8, [1] * 4, 1, [1, 1, 2, 2], 2.0),
    "MSANN": lambda: MSANN([4, 6, 8], [1, 2]),
}

each_network = pytest.mark.parametrize("make", SMALL.values(), ids=SMALL.keys())


def with_random_tail(network: torch.nn.Module) -> torch.nn.Module:
    """Networks begin as the identity or near to it: let them differ from it visibly."""
    torch.nn.init.normal_(network.tail.weight, std=0.1)
    return network


@each_network
@pytest.mark.parametrize("size", [(1, 1), (7, 3), (64, 64), (33, 70)])
def test_any_size_comes_back(make: Callable[[], torch.nn.Module], size: tuple[int, int]) -> None:
    network = make().eval()
    with torch.inference_mode():
        out = network(torch.rand(2, 1, *size))
    assert out.shape == (2, 1, *size)
    assert out.isfinite().all()


@each_network
def test_frames_of_a_batch_do_not_see_each_other(make: Callable[[], torch.nn.Module]) -> None:
    torch.manual_seed(0)
    network = with_random_tail(make()).eval()
    frames = torch.rand(3, 1, 24, 24)
    with torch.inference_mode():
        together, alone = network(frames), network(frames[1:2])
    assert torch.allclose(together[1:2], alone, atol=1e-5)


@each_network
def test_every_parameter_gets_a_gradient(make: Callable[[], torch.nn.Module]) -> None:
    torch.manual_seed(0)
    network = with_random_tail(make())
    network(torch.rand(2, 1, 24, 24)).square().mean().backward()
    without = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert not without


@each_network
def test_a_few_steps_reduce_the_loss(make: Callable[[], torch.nn.Module]) -> None:
    torch.manual_seed(0)
    network = make()
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    clean = torch.linspace(0, 1, 16).expand(4, 1, 16, 16)
    losses = []
    for _ in range(100):
        loss = (network(clean + 0.3 * torch.randn(clean.shape)) - clean).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


@each_network
def test_autocast_ends_in_single_precision(make: Callable[[], torch.nn.Module]) -> None:
    torch.manual_seed(0)
    network = with_random_tail(make()).eval().to(memory_format=torch.channels_last)
    frames = torch.rand(2, 1, 32, 32).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        exact = network(frames)
        with torch.autocast("cpu", torch.bfloat16):
            mixed = network(frames)
    assert mixed.dtype == torch.float32
    # Steps of bfloat16 near 1 are 2 ** -8; a last layer in bfloat16 would leave nothing between them.
    assert (mixed * 2**8 % 1 != 0).float().mean() > 0.9
    assert (mixed - exact).abs().mean() < 0.05 * (exact - frames).abs().mean() + 1e-3


@pytest.mark.parametrize("name", SMALL)
def test_saved_model_comes_back_with_its_options_and_statistics(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = with_random_tail(SMALL[name]())
    with torch.no_grad():
        for _ in range(3):
            network(torch.rand(4, 1, 16, 16))
    network.eval()
    saved = save_model(tmp_path, network, name="n", version="1", card="c", licence="l")
    assert saved.architecture == name
    loaded = load_network(saved)
    assert loaded.options == network.options
    learned = dict(network.named_parameters())
    for key, value in network.state_dict().items():
        expected = value.half().float() if key in learned else value
        assert torch.equal(loaded.state_dict()[key], expected)
    frames = torch.rand(1, 1, 20, 20)
    with torch.inference_mode():
        assert torch.allclose(loaded(frames), network(frames), atol=1e-2)


def test_statistics_of_long_training_survive_saving(tmp_path: Path) -> None:
    """Half precision ends at 65504 steps and at variances of 6e-8."""
    network = DnCNN(3, 8)
    network.body[3].num_batches_tracked.fill_(200_000)
    network.body[3].running_var.fill_(1e-9)
    loaded = load_network(save_model(tmp_path, network, name="n", version="1", card="c", licence="l"))
    assert int(loaded.body[3].num_batches_tracked) == 200_000
    assert torch.equal(loaded.body[3].running_var, network.body[3].running_var)


def test_registry_has_the_baselines_with_options_that_rebuild_them() -> None:
    for name in SMALL:
        network = ARCHITECTURES[name]()
        again = ARCHITECTURES[name](**network.options)
        assert {k: v.shape for k, v in again.state_dict().items()} == {
            k: v.shape for k, v in network.state_dict().items()
        }


def test_dncnn_has_the_layers_and_the_reach_of_the_paper() -> None:
    network = DnCNN().eval()
    assert sum(isinstance(m, torch.nn.Conv2d) for m in network.modules()) == 17
    assert sum(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules()) == 15
    frame = torch.rand(1, 1, 64, 64, requires_grad=True)
    torch.nn.init.normal_(network.tail.weight)
    network(frame)[0, 0, 32, 32].backward()
    rows = frame.grad[0, 0].any(1).nonzero()
    # 2 depth + 1 pixels: 35 for 17 layers.
    assert int(rows.max() - rows.min()) + 1 == 35


def test_transposed_attention_equals_its_definition() -> None:
    torch.manual_seed(0)
    layer = TransposedAttention(6, 2)
    torch.nn.init.uniform_(layer.temperature, 0.5, 2)
    x = torch.randn(1, 6, 4, 5)
    with torch.no_grad():
        mixed = layer.context(layer.query_key_value(x))[0].reshape(18, 20)
        out = torch.zeros(6, 20)
        for head in range(2):
            rows = slice(3 * head, 3 * head + 3)
            query, key, value = (mixed[6 * i : 6 * i + 6][rows] for i in range(3))
            for i in range(3):
                scores = torch.stack([query[i] @ k / (query[i].norm() * k.norm()) for k in key])
                out[3 * head + i] = (scores * layer.temperature[head, 0, 0]).softmax(0) @ value
        expected = layer.project(out.view(1, 6, 4, 5))
        assert torch.allclose(layer(x), expected, atol=1e-5)


def test_msann_sees_far_through_its_pyramid() -> None:
    torch.manual_seed(0)
    network = with_random_tail(MSANN())
    frame = torch.rand(1, 1, 128, 128, requires_grad=True)
    network(frame)[0, 0, 64, 64].backward()
    assert frame.grad[0, 0, :8].any()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: DnCNN(2), "at least three layers"),
        (lambda: Restormer(blocks=[1, 2]), "four levels"),
        (lambda: MSANN([8]), "two levels"),
        (lambda: Restormer(dim=6, heads=[4, 4, 4, 4]), "cannot be shared"),
    ],
)
def test_impossible_sizes_are_refused(make: Callable[[], torch.nn.Module], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        make()
