"""Parameters of the classical filters in the denoising tables, found by `tuning`.

The grids of `tuning` were widened in rounds, each trying only what lies beyond the winner of the one
before on the same images and noise: a single run over the final grids has not been made.

"<data set>, <condition>[, known gain]" -> filter -> parameters.
"""

from __future__ import annotations

from typing import Any

TUNED: dict[str, dict[str, dict[str, Any]]] = {
    "psfhs, gaussian 0.05": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.0, "strength": 1.5, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 3.2, "iterations": 10, "time_step": 0.2},
        "bm3d": {"noise_factor": 1.8},
    },
    "psfhs, gaussian 0.10": {
        "median": {"size": 5},
        "nlm": {"noise_factor": 1.0, "strength": 1.1, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 1.5, "iterations": 25, "time_step": 0.2},
        "bm3d": {"noise_factor": 1.1},
    },
    "psfhs, gaussian 0.20": {
        "median": {"size": 7},
        "nlm": {"noise_factor": 1.0, "strength": 1.1, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 1.5, "iterations": 25, "time_step": 0.2},
        "bm3d": {"noise_factor": 0.9},
    },
    "psfhs, fourier 0.05": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.0, "strength": 5.6, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 13.0, "iterations": 5, "time_step": 0.2},
        "bm3d": {"noise_factor": 4.5},
    },
    "psfhs, fourier 0.05, known gain": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.4, "strength": 4.0, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 13.0, "iterations": 5, "time_step": 0.2},
        "bm3d": {"noise_factor": 6.0},
    },
    "psfhs, fourier 0.10": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.4, "strength": 1.5, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 6.5, "iterations": 5, "time_step": 0.2},
        "bm3d": {"noise_factor": 2.4},
    },
    "psfhs, fourier 0.10, known gain": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.0, "strength": 2.8, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 6.5, "iterations": 5, "time_step": 0.2},
        "bm3d": {"noise_factor": 2.4},
    },
    "psfhs, fourier 0.20": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.0, "strength": 1.1, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 2.2, "iterations": 10, "time_step": 0.2},
        "bm3d": {"noise_factor": 1.4},
    },
    "psfhs, fourier 0.20, known gain": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.0, "strength": 1.5, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 3.2, "iterations": 10, "time_step": 0.2},
        "bm3d": {"noise_factor": 1.8},
    },
    "hc18, gaussian 0.05": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.4, "strength": 0.8, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 3.2, "iterations": 10, "time_step": 0.2},
        "bm3d": {"noise_factor": 1.8},
    },
    "hc18, gaussian 0.10": {
        "median": {"size": 5},
        "nlm": {"noise_factor": 1.0, "strength": 1.1, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 1.5, "iterations": 25, "time_step": 0.2},
        "bm3d": {"noise_factor": 1.1},
    },
    "hc18, gaussian 0.20": {
        "median": {"size": 7},
        "nlm": {"noise_factor": 1.0, "strength": 0.8, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 1.5, "iterations": 25, "time_step": 0.2},
        "bm3d": {"noise_factor": 0.9},
    },
    "hc18, fourier 0.05": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.4, "strength": 2.8, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 6.5, "iterations": 10, "time_step": 0.2},
        "bm3d": {"noise_factor": 6.0},
    },
    "hc18, fourier 0.05, known gain": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.0, "strength": 4.0, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 6.5, "iterations": 10, "time_step": 0.2},
        "bm3d": {"noise_factor": 6.0},
    },
    "hc18, fourier 0.10": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.4, "strength": 1.1, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 3.2, "iterations": 10, "time_step": 0.2},
        "bm3d": {"noise_factor": 2.4},
    },
    "hc18, fourier 0.10, known gain": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.4, "strength": 1.5, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 4.5, "iterations": 10, "time_step": 0.2},
        "bm3d": {"noise_factor": 3.2},
    },
    "hc18, fourier 0.20": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.0, "strength": 1.1, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 2.2, "iterations": 10, "time_step": 0.2},
        "bm3d": {"noise_factor": 1.4},
    },
    "hc18, fourier 0.20, known gain": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.0, "strength": 1.5, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 3.2, "iterations": 10, "time_step": 0.2},
        "bm3d": {"noise_factor": 1.8},
    },
    "natural, gaussian 0.05": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.4, "strength": 0.4, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 1.0, "iterations": 200, "time_step": 0.2},
        "bm3d": {"noise_factor": 0.9},
    },
    "natural, gaussian 0.10": {
        "median": {"size": 5},
        "nlm": {"noise_factor": 1.4, "strength": 0.4, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 1.0, "iterations": 200, "time_step": 0.2},
        "bm3d": {"noise_factor": 0.9},
    },
    "natural, gaussian 0.20": {
        "median": {"size": 9},
        "nlm": {"noise_factor": 1.0, "strength": 1.1, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 1.0, "iterations": 200, "time_step": 0.2},
        "bm3d": {"noise_factor": 0.9},
    },
    "natural, fourier 0.05": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.0, "strength": 1.1, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 1.0, "iterations": 50, "time_step": 0.2},
        "bm3d": {"noise_factor": 1.1},
    },
    "natural, fourier 0.05, known gain": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.0, "strength": 1.5, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 1.0, "iterations": 100, "time_step": 0.2},
        "bm3d": {"noise_factor": 1.1},
    },
    "natural, fourier 0.10": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.0, "strength": 1.1, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 1.0, "iterations": 50, "time_step": 0.2},
        "bm3d": {"noise_factor": 0.9},
    },
    "natural, fourier 0.10, known gain": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.4, "strength": 0.6, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 1.0, "iterations": 200, "time_step": 0.2},
        "bm3d": {"noise_factor": 0.9},
    },
    "natural, fourier 0.20": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.0, "strength": 0.8, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 1.0, "iterations": 50, "time_step": 0.2},
        "bm3d": {"noise_factor": 0.9},
    },
    "natural, fourier 0.20, known gain": {
        "median": {"size": 3},
        "nlm": {"noise_factor": 1.4, "strength": 0.4, "patch_size": 5, "search_distance": 6, "fast": False},
        "srad": {"speckle_factor": 1.0, "iterations": 200, "time_step": 0.2},
        "bm3d": {"noise_factor": 0.9},
    },
}
