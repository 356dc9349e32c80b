"""Outlines fetal head and pubic symphysis in stacks of frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..device import choose_device
from ..frames.validation import checked_pixels
from ..models import ModelDescription, shared_network
from ..progress import Cancelled, Progress, poll
from .structures import BACKGROUND, STRUCTURES
from .working_size import WORKING_EDGE, at_working_size, resampled


class Segmenter:
    """A network that outlines structures, frame by frame. Made by `load_segmenter`.

    Each frame is resampled so that its longer side has the pixels that the network learnt with, outlined, and
    the scores are resampled back: pixels of another size or shape need no training of their own. Where the
    model asks for it, the scores are averaged with those of the mirrored frame ("mirror"), and of each
    structure the largest connected part is kept ("largest_part").

    Args:
        model: a verified or unverified model.
        device: name of a device, or "auto".

    Raises:
        OptionError: an unknown device.
        ModelError: the weights are damaged.
    """

    def __init__(self, model: ModelDescription, device: str = "auto") -> None:
        self._model = model
        self._edge = int(model.inference.get("working_edge", WORKING_EDGE))
        self._mirror, self._largest_part = (
            bool(model.inference.get(name, False)) for name in ("mirror", "largest_part")
        )
        self._device = choose_device(device)
        self._network = shared_network(model, self._device.name)

    @property
    def description(self) -> dict[str, Any]:
        """Model, its version, device, and why that device."""
        return {
            "model": self._model.name,
            "model_version": self._model.version,
            "device": self._device.name,
            "device_reason": self._device.reason,
        }

    def provenance(self) -> dict[str, str]:
        """Attributes of what is made with the outlines."""
        return {
            "USEnhance.SegmentationModel": self._model.name,
            "USEnhance.SegmentationModelVersion": self._model.version,
        }

    def __call__(
        self,
        pixels: NDArray[np.float32],
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> NDArray[np.uint8]:
        """Outline a stack of frames.

        Args:
            pixels: float32 [N, H, W] in [0, 1]; never written to.
            progress: called with (frames done, frames in all) after each frame.
            cancelled: polled before each frame.

        Returns:
            uint8 [N, H, W]: 0 background, 1 pubic symphysis, 2 fetal head; none in a frame that is all black.

        Raises:
            InputError: `pixels` is not such a stack.
            EnhancementCancelled: `cancelled` returned true.
        """
        pixels = checked_pixels(pixels)
        labels = np.full(pixels.shape, BACKGROUND, np.uint8)
        for i, frame in enumerate(pixels):
            poll(cancelled)
            if frame.any():
                labels[i] = self._outline(frame)
            if progress:
                progress(i + 1, len(pixels))
        poll(cancelled)
        return labels

    def _outline(self, frame: NDArray[np.float32]) -> NDArray[np.uint8]:
        with torch.inference_mode():
            small = at_working_size(torch.from_numpy(frame.copy())[None], self._edge)[:, None]
            scores = self._scores(small)
            if self._mirror:
                scores = (scores + self._scores(small.flip(3)).flip(3)) / 2
            labels = resampled(scores, frame.shape).argmax(1)[0].to(torch.uint8).cpu().numpy()
        return largest_parts(labels) if self._largest_part else labels

    def _scores(self, frames: torch.Tensor) -> torch.Tensor:
        """Probabilities [N, classes, H, W] of frames [N, 1, H, W]."""
        return self._network(frames.to(self._device.name)).float().softmax(1)


def largest_parts(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Keep the largest connected part of each structure in labels [H, W]; pixels that touch at corners do."""
    from scipy import ndimage

    kept = np.full_like(labels, BACKGROUND)
    for structure in STRUCTURES:
        parts, count = ndimage.label(labels == structure.label, np.ones((3, 3)))
        if count:
            kept[parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))] = structure.label
    return kept
