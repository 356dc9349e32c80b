"""One enhancement of a node, from its pixels to the nodes of the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer

from ..enhancement.distrust import SETTING
from ..errors import OptionError
from .distrust import link
from .extraction import Content, check_input, extract, vanished
from .outputs import Outputs, OutputWriter, check_outputs
from .results import Images, distrust_images, enhanced_images, uncertainty_images
from .steps import Steps, run_to_end

if TYPE_CHECKING:
    from ..enhancement import EnhancementResult


@dataclass(frozen=True)
class Options:
    """What to do with the frames; the fields are those of `USEnhanceLogic.enhance`.

    strength: 0 (the input) to 1 (all of the enhancement); steps, samples: of diffusion methods, None for the
    model's own
    """

    method: str = "scunet"
    uncertainty: bool = False
    strength: float = 1.0
    device: str = "auto"
    seed: int = 0
    axis: str = "k"
    steps: int | None = None
    samples: int | None = None

    def __post_init__(self) -> None:
        """Raise OptionError for a strength that is no number in 0..1, or for less than one step or sample."""
        for name in ("steps", "samples"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, Integral) and value >= 1):
                raise OptionError(f"{value} {name} are impossible: give a whole number from 1 on, or None.")
        if not 0.0 <= self.strength <= 1.0:
            raise OptionError(f"The strength {self.strength} is out of range: choose one from 0 to 1.")

    @property
    def method_name(self) -> str:
        """The method's name, or that of the model's folder, as it stands in names of nodes."""
        return Path(self.method).name

    @property
    def of_enhancer(self) -> dict[str, Any]:
        """Those that `load_enhancer` takes besides method and device."""
        return {"strength": self.strength, "steps": self.steps, "samples": self.samples}


class EnhancementRun:
    """One enhancement: `prepare` takes the pixels, somebody enhances them, `finish` makes the nodes.

        run = EnhancementRun(volume, Options())
        content = run_to_end(run.prepare())
        result = enhancer(content.frames.pixels)
        outputs = run_to_end(run.finish(result))

    No node is touched before the last part of `finish`, while `is_writing`: that short part is not to be
    interrupted. The input is never touched. Raises InputError or OptionError at once for what can be seen
    to fail.
    """

    def __init__(
        self,
        input_node: Any,
        options: Options,
        output_node: Any | None = None,
        uncertainty_node: Any | None = None,
    ) -> None:
        check_input(input_node, options.axis)
        check_outputs(input_node, output_node, uncertainty_node)
        self.options = options
        self.content: Content | None = None
        self.is_writing = False
        self.input_node = input_node
        self._output = output_node
        self._uncertainty = uncertainty_node

    @property
    def wants_uncertainty(self) -> bool:
        """Whether a map of the uncertainty is asked for, by the option or by a node to put it in.

        The label volume of what is not to be trusted comes with it.
        """
        return self.options.uncertainty or self._uncertainty is not None

    def prepare(self) -> Steps[Content]:
        """Take the pixels, in steps. Raises InputError for what cannot be enhanced."""
        self.content = yield from extract(self.input_node, self.options.axis)
        return self.content

    def finish(self, result: EnhancementResult) -> Steps[Outputs]:
        """Make the output nodes from the enhanced frames, in steps; on failure none that is new stays.

        Raises InputError when the input, and OutputError when a given output was deleted meanwhile.
        """
        content = self.content
        enhanced = yield from enhanced_images(content, result.frames)
        maps = yield from self._map_images(content, result)
        if self.input_node.GetScene() is not slicer.mrmlScene:
            raise vanished(self.input_node)
        self.is_writing = True
        writer = OutputWriter(self.input_node)
        try:
            return (yield from self._write(writer, enhanced, maps, result))
        except BaseException:
            writer.roll_back()
            raise
        finally:
            self.is_writing = False

    def _map_images(self, content: Content, result: EnhancementResult) -> Steps[tuple[Images, Images] | None]:
        """Return the uncertainty and the labels of what is not to be trusted; None where none are wanted."""
        spread = result.uncertainty
        if spread is None or not self.wants_uncertainty:
            return None
        maps = yield from uncertainty_images(content, spread)
        labels = yield from distrust_images(content, spread, result.parameters[SETTING])
        return maps, labels

    def _write(
        self,
        writer: OutputWriter,
        enhanced: Images,
        maps: tuple[Images, Images] | None,
        result: EnhancementResult,
    ) -> Steps[Outputs]:
        name = self.input_node.GetName()
        method = self.options.method_name
        attributes = self._provenance(result)
        uncertainty = distrust = None
        writer.check_given(self._output, self._uncertainty)
        if maps is not None:
            map_name = f"{name} uncertainty ({method})"
            uncertainty = yield from writer.write_uncertainty(
                maps[0], self._uncertainty, map_name, attributes
            )
            labels_name, above = f"{name} do not trust ({method})", result.parameters[SETTING]
            distrust = yield from writer.write_distrust(maps[1], uncertainty, labels_name, attributes, above)
        enhanced_name = f"{name} enhanced ({method})"
        volume = yield from writer.write_enhanced(enhanced, self._output, enhanced_name, attributes)
        if uncertainty is not None:
            link(uncertainty, distrust)
        notes = tuple(dict.fromkeys((*self.content.frames.notes, *result.notes)))
        return Outputs(volume, uncertainty, distrust, notes)

    def _provenance(self, result: EnhancementResult) -> Mapping[str, str]:
        attributes = {key: str(value) for key, value in result.provenance().items()}
        attributes["USEnhance.SliceAxis"] = self.options.axis
        size = self.content.frames.pixel_size
        if size is not None:
            attributes["USEnhance.PixelSizeMillimetres"] = f"{size[1]:.6g} {size[0]:.6g}"
        return attributes


def enhance_node(
    run: EnhancementRun,
    progress: Callable[[int, int], object] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Outputs:
    """Do `run` here and now, in this process, and return its outputs.

    `progress(done, total)` is called after each frame; `cancelled()` is polled. Raises what the run and
    the enhancer raise: InputError, OptionError, ModelError, DependencyError, EnhancementCancelled.
    """
    from ..enhancement import load_enhancer

    options = run.options
    enhancer = load_enhancer(options.method, options.device, **options.of_enhancer)
    content = run_to_end(run.prepare(), cancelled)
    result = enhancer(
        content.frames.pixels,
        progress=progress,
        cancelled=cancelled,
        seed=options.seed,
        uncertainty=run.wants_uncertainty,
    )
    return run_to_end(
        run.finish(result), lambda: not run.is_writing and cancelled is not None and cancelled()
    )
