"""Mean-reverting diffusion (IR-SDE, arXiv 2301.11699; for ultrasound arXiv 2602.22717).

A clean frame x_0 drifts towards its speckled frame mu while noise is added:

    dx = theta_t (mu - x) dt + sigma_t dw,  sigma_t^2 = 2 lambda^2 theta_t
    x_t = mu + a_t (x_0 - mu) + lambda sqrt(1 - a_t^2) e,  a_t = exp(-Theta_t)

So z = (x - mu) / lambda is a variance-preserving diffusion whose mean is zero at its end, and MONAI's
schedulers apply to it. `schedule` has the times, `samplers` go back from mu to a clean frame.
"""

from __future__ import annotations

from .prediction import Prediction
from .samplers import SAMPLERS, sample, times_for
from .schedule import Schedule

__all__ = ["SAMPLERS", "Prediction", "Schedule", "sample", "times_for"]
