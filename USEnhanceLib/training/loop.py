"""Training: steps, curve, validation and checkpoints of a run, whatever it learns.

The random numbers of a step depend on the seed and on the number of the step alone, so that a run which was
killed and resumed goes the same way as one that was not.
"""

from __future__ import annotations

import platform
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from ..errors import InputError, OptionError
from .checkpoint import load_checkpoint, save_checkpoint
from .curve import add_to_curve, cut_curve
from .objectives import Batch
from .optimisation import Optimisation
from .processes import Processes, join_processes
from .run_recipe import RunRecipe
from .sheet import write_sheet
from .task import Report, Task, Validation
from .tasks import make_task, read_recipe, recipe_class, task_class

RECIPE = "recipe.json"
MODEL = "model"
SHEETS = "sheets"
DRAWING_THREADS = 2
"""A GPU would wait for patches otherwise; a CPU spends about one per cent of its time on drawing them."""


def _say_nothing(_line: str) -> None:
    pass


def train(
    data: Path,
    out: Path,
    *,
    recipe: RunRecipe | None = None,
    network: str | None = None,
    resume: bool = False,
    start: str | Path | None = None,
    targets: Path | None = None,
    report: Report = _say_nothing,
) -> Path:
    """Train and write a model folder that `load_enhancer` takes.

    Started by torchrun, the processes of a run share every batch, and the first one writes and reports.

    Args:
        data: folder of ultrasound images of any kind and depth, see `read_training_images`.
        out: folder of the run; gets recipe.json, curve.csv, checkpoint.pt, sheets/ and model/.
        recipe: all settings; a run that is resumed has its own, and another one is refused.
        network: what is trained where no recipe is given; a run of another network is refused.
        resume: go on from the checkpoint in `out`, or begin where there is none.
        start: begin with the weights of this model, a shipped one or a folder, instead of random ones.
        targets: folder that keeps NLLR targets between runs; out/targets by default.
        report: gets a line per validation and every `report_every` steps.

    Raises:
        InputError: `out` holds a run already and `resume` is false, or data are missing.
        ModelError, OptionError: `start` is no model, or of another size than the recipe's.
        USEnhanceError: the loss is no longer finite.
    """
    out = Path(out)
    with join_processes() as processes:
        found = _find_run(out, recipe, network, resume) if processes.first else None
        recipe, state = processes.from_first(found)
        if recipe.batch < processes.count:
            raise OptionError(
                f"A batch of {recipe.batch} cannot be split over {processes.count} processes: start fewer."
            )
        if not processes.first:
            report = _say_nothing
        # Weights that do not fit are refused before anything is computed or written.
        objective = task_class(recipe).objective(recipe)
        optimisation = Optimisation(recipe, objective, processes, None if state else start)
        report("Reading images")
        task = make_task(recipe, Path(data), out, targets)
        for note in task.notes:
            report(f"Note: {note}")
        if processes.first:
            out.mkdir(parents=True, exist_ok=True)
            recipe.save(out / RECIPE)
        if processes.local_rank != 0:
            processes.wait()
        task.prepare(report)
        validation = task.validation() if processes.first else None
        if processes.local_rank == 0:
            processes.wait()
        run = _Run(task, optimisation, out, processes, validation, report)
        run.begin(state)
        run.train()
        if processes.first:
            run.write_model()
        processes.wait()
    return out / MODEL


def _find_run(
    out: Path, recipe: RunRecipe | None, network: str | None, resume: bool
) -> tuple[RunRecipe, dict[str, Any] | None]:
    """The recipe of the run in `out` and its checkpoint, if it is to be resumed and has one."""
    file = out / RECIPE
    if not file.exists():
        if recipe is not None:
            return recipe, None
        named = network or RunRecipe.network
        return recipe_class(named)(network=named), None
    if not resume:
        raise InputError(f"{out} holds a run already: give --resume, or another folder.")
    own = read_recipe(file, network)
    if recipe not in (None, own):
        raise OptionError(f"{out} holds a run of another recipe: leave --recipe out, or give another folder.")
    return own, load_checkpoint(out)


def batches(task: Task, first: int) -> Iterator[Batch]:
    """Draw the batches of the steps from `first` on, each while those before it are learnt from."""
    with ThreadPoolExecutor(DRAWING_THREADS) as pool:
        waiting: deque[Future[Batch]] = deque()
        for step in range(first, task.recipe.steps):
            waiting.append(pool.submit(task.draw, step))
            if len(waiting) > DRAWING_THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class _Run:
    """A run in its folder: steps, curve, validation and checkpoints."""

    def __init__(
        self,
        task: Task,
        optimisation: Optimisation,
        out: Path,
        processes: Processes,
        validation: Validation | None,
        report: Report,
    ) -> None:
        self._task, self._recipe = task, task.recipe
        self._optimisation, self._out, self._processes = optimisation, out, processes
        self._validation, self._report = validation, report
        self._seconds, self._cpu_seconds, self._loss_sum = 0.0, 0.0, 0.0

    def begin(self, state: dict[str, Any] | None) -> None:
        """Begin, or go on from a checkpoint."""
        if state is not None:
            self._optimisation.restore(state)
            self._seconds, self._cpu_seconds = state["seconds"], state["cpu_seconds"]
            self._loss_sum = state["loss_sum"]
            if note := self._task.note_on(state):
                self._report(f"Note: {note}")
        if self._processes.first:
            cut_curve(self._out, self._optimisation.step, self._task.columns)

    def train(self) -> None:
        """Make the steps that are left; the CPU seconds are those of the steps alone, without validation."""
        optimisation = self._optimisation
        began = time.perf_counter() - self._seconds
        cpu_began = time.process_time()
        for batch in batches(self._task, optimisation.step):
            self._loss_sum += optimisation.update(batch)
            (cpu_seconds,) = self._processes.total([time.process_time() - cpu_began])
            self._cpu_seconds += cpu_seconds
            self._seconds = time.perf_counter() - began
            if self._processes.first:
                self._keep_books()
            cpu_began = time.process_time()

    def _keep_books(self) -> None:
        recipe, step = self._recipe, self._optimisation.step
        if step % recipe.report_every == 0:
            mean = self._loss_sum / recipe.report_every
            self._log({"loss": mean})
            self._report(f"step {step}/{recipe.steps}, loss {mean:.5f}, {self._seconds:.0f} s")
            self._loss_sum = 0.0
        if step % recipe.validate_every == 0 and self._validation is not None:
            scores = self._validation.score(self._optimisation.average)
            self._log(scores)
            self._report(f"step {step}: " + ", ".join(f"{k} {v:.3f}" for k, v in scores.items()))
            file = self._out / SHEETS / f"step-{step:06d}.png"
            write_sheet(file, self._validation.panels(self._optimisation.average), f"step {step}")
        if step % recipe.save_every == 0 or step == recipe.steps:
            times = {"seconds": self._seconds, "cpu_seconds": self._cpu_seconds}
            own = {"loss_sum": self._loss_sum, **self._task.state}
            save_checkpoint(self._out, {**self._optimisation.state(), **times, **own})

    def _log(self, row: dict[str, float]) -> None:
        times = {"seconds": round(self._seconds, 1), "cpu_seconds": round(self._cpu_seconds, 1)}
        add_to_curve(self._out, {"step": self._optimisation.step, **row, **times}, self._task.columns)

    def write_model(self) -> None:
        """Write the running mean of the weights with its card."""
        network = self._optimisation.average
        scores = self._validation.score(network) if self._validation is not None else {}
        training = {
            "recipe": asdict(self._recipe),
            "steps": self._optimisation.step,
            "start": self._optimisation.origin,
            "hours": round(self._seconds / 3600, 2),
            "cpu_hours": round(self._cpu_seconds / 3600, 2),
            "machine": _machine(self._processes),
            "validation": {name: round(value, 4) for name, value in scores.items()},
            **self._task.state,
        }
        self._task.write_model(self._out / MODEL, network, training)


def _machine(processes: Processes) -> str:
    several = f"{processes.count} processes, " if processes.count > 1 else ""
    if processes.device != "cpu":
        return f"{several}{torch.cuda.get_device_name()}, torch {torch.__version__}"
    return f"{several}{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
