"""Training targets: NLLR-filtered frames, computed once and kept in a folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..classical.nllr import ALGORITHM_VERSION, NLLRParameters, denoise_nllr
from .datasets import NamedImage


def nllr_targets(
    images: Sequence[NamedImage],
    folder: Path,
    parameters: NLLRParameters | None = None,
    processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[NDArray[np.float32]]:
    """NLLR-filtered images [H, W] in [0, 1], read from `folder` where they have been computed before.

    A file's name holds a hash of the frame, of the parameters and of the version of NLLR, so that a change of
    any is never served an old target. Values are kept in half precision, exact to 2.5e-4. `progress` is told
    how many targets have been computed and how many were missing.
    """
    parameters = parameters or NLLRParameters()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{_fingerprint(image, parameters)}.npy" for _, image in images]
    missing = [i for i, file in enumerate(files) if not file.is_file()]
    if missing:
        with ProcessPoolExecutor(processes or os.cpu_count(), get_context("spawn")) as pool:
            jobs = [pool.submit(_compute, images[i][1], parameters, files[i]) for i in missing]
            for done, job in enumerate(jobs, 1):
                job.result()
                if progress is not None:
                    progress(done, len(jobs))
    return [np.load(file).astype(np.float32) for file in files]


def _fingerprint(image: NDArray[np.float32], parameters: NLLRParameters) -> str:
    digest = hashlib.sha256(repr((image.shape, sorted(asdict(parameters).items()))).encode())
    digest.update(np.ascontiguousarray(image).tobytes())
    # The names of files from before there were versions stay what they were.
    if ALGORITHM_VERSION != "1":
        digest.update(ALGORITHM_VERSION.encode())
    return digest.hexdigest()[:24]


def _compute(image: NDArray[np.float32], parameters: NLLRParameters, file: Path) -> None:
    torch.set_num_threads(1)
    target = denoise_nllr(torch.from_numpy(image.copy())[None], parameters)[0]
    unfinished = file.with_suffix(f".{os.getpid()}.tmp")
    with unfinished.open("wb") as stream:
        np.save(stream, target.numpy().astype(np.float16))
    unfinished.replace(file)
