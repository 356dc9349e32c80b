"""One step of training: what the loss weighs."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from USEnhanceLib.training.objectives import Restoration  # noqa: E402
from USEnhanceLib.training.optimisation import SMALLEST_ERROR, Optimisation  # noqa: E402
from USEnhanceLib.training.processes import Processes  # noqa: E402
from USEnhanceLib.training.recipe import TrainingRecipe  # noqa: E402


class Level(torch.nn.Module):
    """A network of one number, so that its gradient can be told by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.level = torch.nn.Parameter(torch.tensor(0.5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.level


def gradient(
    monkeypatch: pytest.MonkeyPatch, balanced: bool = False, edge_weight: float = 0.0
) -> tuple[float, float]:
    """Loss and gradient of a step on two patches whose errors are .5 and .1."""
    monkeypatch.setattr("USEnhanceLib.training.optimisation.build_network", lambda *_: Level())
    recipe = TrainingRecipe(balanced=balanced, edge_weight=edge_weight, precision="fp32", clip=1e9)
    optimisation = Optimisation(recipe, Restoration(recipe.edge_weight), Processes())
    frames = torch.zeros(2, 8, 8)
    targets = torch.stack((torch.zeros(8, 8), torch.full((8, 8), 0.6)))
    loss = optimisation.update((frames, targets))
    return loss, float(optimisation._network.level.grad)


def test_the_reported_loss_is_the_mean_absolute_error_either_way(monkeypatch):
    assert gradient(monkeypatch, False)[0] == pytest.approx(0.3)
    assert gradient(monkeypatch, True)[0] == pytest.approx(0.3)


def test_without_balance_two_opposite_errors_cancel(monkeypatch):
    assert gradient(monkeypatch, False)[1] == pytest.approx(0, abs=1e-6)


def test_with_balance_the_smaller_error_weighs_more(monkeypatch):
    large, small = 1 / (0.5 + SMALLEST_ERROR), 1 / (0.1 + SMALLEST_ERROR)
    assert gradient(monkeypatch, True)[1] == pytest.approx(0.3 * (large - small) / 2, rel=1e-4)


def test_the_edge_term_does_not_see_an_even_error(monkeypatch):
    assert gradient(monkeypatch, edge_weight=5.0) == gradient(monkeypatch)


def test_the_edge_term_sees_an_error_of_steepness(monkeypatch):
    """Errors x times a ramp of slope .1: their difference along one direction is .1, whatever the place."""

    class Gain(Level):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.level

    monkeypatch.setattr("USEnhanceLib.training.optimisation.build_network", lambda *_: Gain())
    ramp = (0.1 * torch.arange(8.0)).expand(1, 8, 8)
    gradients = []
    for edge_weight in (0.0, 2.0):
        recipe = TrainingRecipe(edge_weight=edge_weight, precision="fp32", clip=1e9)
        optimisation = Optimisation(recipe, Restoration(recipe.edge_weight), Processes())
        optimisation.update((ramp, torch.zeros(1, 8, 8)))
        gradients.append(float(optimisation._network.level.grad))
    assert gradients[0] == pytest.approx(float(ramp.mean()))
    assert gradients[1] - gradients[0] == pytest.approx(2 * 0.1)
