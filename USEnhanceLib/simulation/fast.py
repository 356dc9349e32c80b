"""The fast engine: complex noise, as strong as the tissue's echo, convolved with point spread functions.

Speckle is a sum of very many echoes, so the samples of a frame are a complex normal field that its point
spread functions colour (R. F. Wagner, S. W. Smith, J. M. Sandrik, H. Lopez, "Statistics of speckle in
ultrasound B-scans", IEEE Trans. Sonics Ultrason. 30, 1983). They come from the exact engine and change
over the frame; they are written as sums of few components, so that a frame costs one convolution a component.

What it lacks: clutter from farther than a point spread function's patch, such as grating lobes.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from ..errors import InputError
from .compression import DARKEST, HEADROOM, MEAN_LEVEL
from .grid import ImageGrid, image_grid
from .point_spread import PointSpread, find_point_spread
from .setting import Setting

ENERGY = 0.998
"""Share of the point spread functions' energy that their components hold."""
COMPONENTS = 16
"""At most so many of them."""


class FastSimulator:
    """Simulates frames of one setting, many at a time; to make one takes a second, a frame milliseconds.

        simulator = FastSimulator(draw_setting("L11-5v", np.random.default_rng(0)))
        speckled, clean = simulator(echogenicity, torch.Generator().manual_seed(0))

    The seed of the setting is not used.
    """

    def __init__(self, setting: Setting, device: str | torch.device = "cpu") -> None:
        self.setting, self.device = setting, torch.device(device)
        grid, spread = image_grid(setting), find_point_spread(setting)
        components, shares = _components(spread, grid)
        rows, columns = components.shape[1] // 2, components.shape[2] // 2
        # So that every line of the frame falls on a column of the finer grid.
        columns += -columns % spread.finer
        self._finer, self._margin = spread.finer, (rows, columns // spread.finer)
        shape = _padded_shape(grid, spread.finer, rows, columns)
        self._shape, self._frame = shape, (len(grid.depths), len(grid.lines))
        spectra = np.fft.fft2(_around_origin(components, shape))
        self._transfer = torch.from_numpy(spectra.astype(np.complex64)).to(self.device)
        self._shares = torch.from_numpy(shares).to(self.device)
        self._tissue = self._on_device(_tissue_places(grid, spread.finer, rows, columns, shape))
        self._conversion = self._on_device(grid.conversion())
        self._sector = torch.from_numpy(grid.sector).to(self.device)

    def __call__(self, echogenicity: Tensor, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
        """Return speckled and clean frames, each float32 [N, H, W] in [0, 1], on the simulator's device.

        Args:
            echogenicity: mean power of the echo, [N, H, W] in [0, 1]; H and W are the setting's size.
            generator: source of the speckle, on the simulator's device; torch's global one when not given.

        Raises:
            InputError: the echogenicity has another size.
        """
        level = self.levels(echogenicity, generator)
        indices, weights = self._conversion
        speckled = (level.flatten(1)[:, indices] * weights).sum(dim=1)
        clean = 10 * torch.log10(echogenicity.to(self._sector.device, torch.float32).clamp_min(10**-20))
        return self._shown(speckled), self._shown(clean)

    def levels(self, echogenicity: Tensor, generator: Generator | None = None) -> Tensor:
        """Return the level of the frames' samples, dB, [N, A, L]; arguments as for calling the simulator."""
        size = self.setting.size
        if echogenicity.ndim != 3 or echogenicity.shape[1:] != (size, size):
            raise InputError(
                f"The echogenicity is {list(echogenicity.shape)}: give [N, {size}, {size}] values."
            )
        indices, weights = self._tissue
        power = echogenicity.to(self.device, torch.float32).flatten(1)
        amplitude = (power[:, indices] * weights).sum(dim=1).sqrt_()
        noise = torch.randn(amplitude.shape, dtype=torch.complex64, device=self.device, generator=generator)
        spectrum = torch.fft.fft2(noise.mul_(amplitude))
        depths, lines = self._frame
        top, left = self._margin
        samples = torch.zeros(len(power), depths, lines, dtype=torch.complex64, device=self.device)
        for transfer, share in zip(self._transfer, self._shares, strict=True):
            # Only every so many columns are wanted: their spectrum is the folded one.
            product = (spectrum * transfer).unflatten(2, (self._finer, -1)).mean(dim=2)
            coloured = torch.fft.ifft2(product)
            samples += share * coloured[:, top : top + depths, left : left + lines]
        return (20 * torch.log10(samples.abs().clamp_min(1e-12)) - MEAN_LEVEL).clamp_min(DARKEST)

    def _shown(self, level: Tensor) -> Tensor:
        shown = (1 + (level - HEADROOM) / self.setting.dynamic_range).clamp(0, 1)
        return shown * self._sector

    def _on_device(self, around: tuple[NDArray[np.int64], NDArray[np.float32]]) -> tuple[Tensor, Tensor]:
        indices, weights = around
        return torch.from_numpy(indices).to(self.device), torch.from_numpy(weights).to(self.device)


def fast_level(echogenicity: NDArray[np.float32], setting: Setting) -> NDArray[np.float32]:
    """Return the level of a frame's samples in dB, [A, L], with the setting's seed; see `simulate_level`."""
    simulator = _simulator(replace(setting, seed=0))
    generator = torch.Generator().manual_seed(setting.seed)
    return simulator.levels(torch.from_numpy(echogenicity)[None], generator)[0].numpy()


@lru_cache(maxsize=16)
def _simulator(setting: Setting) -> FastSimulator:
    return FastSimulator(setting)


def _components(spread: PointSpread, grid: ImageGrid) -> tuple[NDArray[np.complex64], NDArray[np.complex64]]:
    """Return orthonormal components [R, h, w] and their shares at the samples of the frame, [R, A, L].

    The shares are such that white noise of power 1 has power 1 after the convolution, everywhere.
    """
    patches = spread.patches / np.linalg.norm(spread.patches, axis=(-2, -1), keepdims=True)
    size = patches.shape[2:]
    left, strength, right = np.linalg.svd(patches.reshape(-1, size[0] * size[1]), full_matrices=False)
    held = np.cumsum(strength**2) / np.sum(strength**2)
    count = min(int(np.searchsorted(held, ENERGY)) + 1, COMPONENTS)
    nodes = (left * strength)[:, :count].reshape(*patches.shape[:2], count)
    by_depth, by_line = spread.blend(grid)
    shares = np.einsum("ad,dlr,kl->rak", by_depth, nodes, by_line, optimize=True)
    shares /= np.sqrt((np.abs(shares) ** 2).sum(axis=0))
    return right[:count].reshape(count, *size), shares.astype(np.complex64)


def _padded_shape(grid: ImageGrid, finer: int, rows: int, columns: int) -> tuple[int, int]:
    """Return the shape of the noise: frame and margins, and a little more where that transforms faster."""
    from scipy.fft import next_fast_len

    height = len(grid.depths) + 2 * rows
    width = (len(grid.lines) - 1) * finer + 1 + 2 * columns
    return next_fast_len(height), finer * next_fast_len(-(-width // finer))


def _around_origin(components: NDArray[np.complex64], shape: tuple[int, int]) -> NDArray[np.complex64]:
    """Return components [R, h, w] in zeros [R, *shape], their middle rolled to the first place."""
    count, height, width = components.shape
    padded = np.zeros((count, *shape), np.complex64)
    padded[:, :height, :width] = components
    return np.roll(padded, (-(height // 2), -(width // 2)), axis=(1, 2))


def _tissue_places(
    grid: ImageGrid, finer: int, rows: int, columns: int, shape: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the pixels around every place of the noise, and their weights, each [4, *shape]."""
    step, line = grid.spacing[0], grid.spacing[1] / finer
    depths = grid.depths[0] + step * (np.arange(shape[0]) - rows)
    lines = grid.lines[0] + line * (np.arange(shape[1]) - columns)
    return grid.around(*grid.place(depths[:, None], lines[None, :]))
