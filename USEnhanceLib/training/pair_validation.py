"""Validation while learning from simulated pairs: PSNR, SSIM and pictures of pairs that are held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..quality.fidelity import psnr, ssim
from .sheet import Panel

Restore = Callable[[nn.Module, Tensor], Tensor]
"""A network and speckled frames [B, 1, H, W] in [0, 1] to restored ones, unclipped."""


@dataclass(frozen=True, eq=False)
class PairValidation:
    """Held-out pairs, restored as users will.

    Attributes:
        pairs: name and [2, H, W] of each: speckled and clean.
        restore: what the network is used by.
    """

    pairs: Sequence[tuple[str, NDArray[np.float32]]]
    restore: Restore

    def score(self, network: nn.Module) -> dict[str, float]:
        """Mean PSNR in dB and SSIM over the pairs."""
        scores = [
            [float(metric(found[None], pair[1][None])[0]) for metric in (psnr, ssim)]
            for (_, pair), found in zip(self.pairs, self._restored(network), strict=True)
        ]
        mean_psnr, mean_ssim = np.mean(scores, axis=0)
        return {"psnr_simulated": float(mean_psnr), "ssim_simulated": float(mean_ssim)}

    def panels(self, network: nn.Module) -> list[Panel]:
        """One row for the first pair of each probe."""
        first = dict(reversed(self.pairs))
        chosen = PairValidation(list(first.items())[::-1], self.restore)
        rows = []
        for (name, pair), found in zip(chosen.pairs, chosen._restored(network), strict=True):
            gain = " to ".join(f"{psnr(x[None], pair[1][None])[0]:.1f}" for x in (pair[0], found))
            rows.append(Panel(f"{name}: {gain} dB", (pair[0], found, pair[1])))
        return rows

    def _restored(self, network: nn.Module) -> list[NDArray[np.float32]]:
        device = next(network.parameters()).device
        restored = []
        with torch.inference_mode():
            for _, pair in self.pairs:
                found = self.restore(network, torch.from_numpy(pair[0])[None, None].to(device))
                restored.append(found[0, 0].clamp(0, 1).cpu().numpy())
        return restored
