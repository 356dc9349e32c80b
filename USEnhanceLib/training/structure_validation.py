"""Validation while training: Dice of held-out frames, and pictures of their outlines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ..segmentation.structures import STRUCTURES
from ..segmentation.working_size import at_working_size, resampled
from .sheet import Panel
from .structure_data import OutlinedFrame

SHOWN = 6


class StructureValidation:
    """Held-out frames, each of which counts the same."""

    def __init__(self, frames: Sequence[OutlinedFrame]) -> None:
        self._frames = frames

    def score(self, network: nn.Module) -> dict[str, float]:
        """Mean Dice of each structure, over the frames that have it."""
        from monai.metrics import DiceMetric

        metric = DiceMetric(include_background=False, reduction="mean_batch", num_classes=1 + len(STRUCTURES))
        for frame in self._frames:
            found = torch.from_numpy(_labels(network, frame))[None, None]
            metric(found, torch.from_numpy(frame.labels)[None, None])
        values = metric.aggregate().tolist()
        return {f"dice_{s.short.lower()}": value for s, value in zip(STRUCTURES, values, strict=True)}

    def panels(self, network: nn.Module) -> list[Panel]:
        """Rows of a picture sheet: frames as they are, with the network's outlines and the annotator's."""
        rows = []
        for frame in self._frames[:: max(1, len(self._frames) // SHOWN)]:
            pixels = frame.pixels.astype(np.float32) / 255
            pictures = pixels, _outlined(pixels, _labels(network, frame)), _outlined(pixels, frame.labels)
            rows.append(Panel(frame.name, pictures))
        return rows


def _labels(network: nn.Module, frame: OutlinedFrame) -> NDArray[np.uint8]:
    device = next(network.parameters()).device
    pixels = torch.from_numpy(frame.pixels)[None].float() / 255
    with torch.inference_mode():
        logits = network(at_working_size(pixels)[:, None].to(device)).float().cpu()
        return resampled(logits, frame.labels.shape).argmax(1)[0].numpy().astype(np.uint8)


def _outlined(pixels: NDArray[np.float32], labels: NDArray[np.uint8]) -> NDArray[np.float32]:
    edges = np.zeros(labels.shape, bool)
    edges[:-1] |= labels[:-1] != labels[1:]
    edges[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    return np.where(edges, np.float32(1), pixels * 0.8)
