"""One segmentation of a node, alone or with its enhanced image, from pixels to nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer

from ..errors import InputError, ModelError
from ..segmentation.structures import STRUCTURES
from .extraction import Content, check_input, extract, vanished
from .figures_plots import CHART_ROLE, write_charts
from .figures_table import columns_of, new_figures_table, remarks_of
from .measurements import Measurements, measure
from .progression_markups import PIXEL_SIZE, SLICE_AXIS
from .references import Reference, check_reference, read_reference
from .results import Images, label_images
from .segmentation_outputs import Outlined, SegmentationOutputs, SegmentationWriter
from .segmentations import LOOK_OF_ENHANCED, LOOK_OF_ORIGINAL
from .sequences import is_sequence, sequence_of
from .steps import Steps, in_thread, run_to_end
from .volumes import VolumeLayout

Segment = Callable[..., np.ndarray]
"""segment(pixels, progress=, cancelled=) -> uint8 [N, H, W], as what `load_segmenter` returns."""

ENHANCED_ROLE = "USEnhance.Enhanced"
REFERENCE_ROLE = "USEnhance.Reference"
INFERIOR_SIDE = "USEnhance.InferiorSide"
"""References and an attribute of the table: the images that were compared, and how they were read."""

# Of a pixel, by which an enhanced image may lie beside its input: files round their numbers.
_TOLERANCE = 0.1


@dataclass(frozen=True)
class SegmentationOptions:
    """How to outline; the fields are those of `USEnhanceLogic.segment`.

    model: a shipped one or the folder of a model; axis: along which frames are stacked; inferior_side: the
    side of the image, "left" or "right", to which the symphysis' inferior end points, None to judge it
    """

    model: str = "fhps"
    device: str = "auto"
    axis: str = "k"
    inferior_side: str | None = None


class SegmentationRun:
    """One segmentation: `prepare` takes the pixels, somebody outlines them, `finish` makes the nodes.

        run = SegmentationRun(volume, SegmentationOptions(), enhanced_node=enhanced, reference_node=drawn)
        stacks = run_to_end(run.prepare())
        labels = [segmenter(pixels) for pixels in stacks]
        outputs = run_to_end(run.finish(labels, segmenter.provenance()))

    There is a stack for the input and, if given, one for the enhanced image. No node is touched before the
    last part of `finish`, while `is_writing`: that short part is not to be interrupted. Input, enhanced image
    and reference are never touched. Raises InputError at once for what can be seen to fail.
    """

    def __init__(
        self,
        input_node: Any,
        options: SegmentationOptions | None = None,
        enhanced_node: Any | None = None,
        reference_node: Any | None = None,
    ) -> None:
        self.options = options or SegmentationOptions()
        check_input(input_node, self.options.axis)
        if enhanced_node is not None and is_sequence(input_node):
            enhanced_node = sequence_of(enhanced_node) or enhanced_node
        if enhanced_node is not None:
            check_input(enhanced_node, self.options.axis)
            if enhanced_node is input_node:
                raise InputError(
                    f"{input_node.GetName()} is chosen both as original and as enhanced image: "
                    "choose two images."
                )
        if reference_node is not None:
            check_reference(reference_node, input_node)
        self.input_node = input_node
        self.enhanced_node = enhanced_node
        self.reference_node = reference_node
        self.is_writing = False
        self._content: Content | None = None
        self._reference: Reference | None = None

    def prepare(self) -> Steps[tuple[np.ndarray, ...]]:
        """Return, in steps, the frames to be outlined: float32 [N, H, W] in 0..1 of each image.

        Raises InputError for what cannot be outlined, and for an enhanced image or a reference that lies
        elsewhere or has another number of frames.
        """
        self._content = yield from extract(self.input_node, self.options.axis)
        stacks = [self._content.frames.pixels]
        if self.reference_node is not None:
            self._reference = yield from read_reference(self.reference_node, self.input_node, self._content)
        if self.enhanced_node is not None:
            enhanced = yield from extract(self.enhanced_node, self.options.axis)
            _check_alike(self._content, enhanced)
            stacks.append(enhanced.frames.pixels)
        return tuple(stacks)

    def finish(
        self, labels: Sequence[np.ndarray], provenance: Mapping[str, str]
    ) -> Steps[SegmentationOutputs]:
        """Make the output nodes, in steps, from labels, uint8 [N, H, W], of each stack of `prepare`.

        provenance: attributes of what is made, as `Segmenter.provenance` gives them. On failure no node
        stays. Raises InputError when an image was deleted meanwhile, and ModelError for labels that do not
        fit the stacks.
        """
        content, reference = self._content, self._reference
        self._check_labels(labels)
        drawn = None if reference is None else reference.labels
        side = self.options.inferior_side
        measured = yield from in_thread(lambda: measure(content.frames, labels, drawn, side))
        images = yield from self._images(labels)
        for node in (self.input_node, self.enhanced_node):
            if node is not None and node.GetScene() is not slicer.mrmlScene:
                raise vanished(node)
        self.is_writing = True
        writer = SegmentationWriter(self.input_node, content, self._attributes(provenance))
        try:
            return (yield from self._write(writer, images, measured))
        except BaseException:
            writer.roll_back()
            raise
        finally:
            self.is_writing = False

    def _write(
        self, writer: SegmentationWriter, images: Sequence[Images], measured: Measurements
    ) -> Steps[SegmentationOutputs]:
        made = []
        for role, image_node, item_images in zip(measured.roles, self._image_nodes, images, strict=True):
            look = LOOK_OF_ORIGINAL if image_node is self.input_node else LOOK_OF_ENHANCED
            segmentation = yield from writer.write_segmentation(item_images, image_node, look)
            progressions = measured.images[role].progressions
            angles = yield from writer.write_angles(progressions, image_node, look)
            made.append(Outlined(image_node, segmentation, angles))
        table, charts = self._write_figures(writer, measured)
        notes = [*self._content.frames.notes]
        if self._reference is not None:
            notes += self._reference.notes
        notes += measured.notes
        enhanced = made[1] if len(made) > 1 else None
        return SegmentationOutputs(
            made[0],
            enhanced,
            table,
            charts,
            tuple(dict.fromkeys(notes)),
            measured.comparison,
            writer.created,
            writer.names,
        )

    def _write_figures(
        self, writer: SegmentationWriter, measured: Measurements
    ) -> tuple[Any, tuple[Any, ...]]:
        """Put the table and the charts into the scene, and return them."""
        name = self.input_node.GetName()
        if self.reference_node is not None:
            name = f"{name} against {self.reference_node.GetName()}"
        elif self.enhanced_node is not None:
            name = f"{name} agreement with {self.enhanced_node.GetName()}"
        else:
            name = f"{name} measurements"
        columns = columns_of(measured)
        table = writer.add_named(new_figures_table(name, columns, remarks_of(measured)))
        writer.mark(table, self.input_node)
        for role, node in ((ENHANCED_ROLE, self.enhanced_node), (REFERENCE_ROLE, self.reference_node)):
            if node is not None:
                table.SetNodeReferenceID(role, node.GetID())
        if measured.inferior_side is not None:
            table.SetAttribute(INFERIOR_SIDE, measured.inferior_side)
        charts = write_charts(writer, name, columns)
        for chart in charts:
            table.AddNodeReferenceID(CHART_ROLE, chart.GetID())
        return table, charts

    @property
    def _image_nodes(self) -> tuple[Any, ...]:
        nodes = (self.input_node, self.enhanced_node)
        return tuple(node for node in nodes if node is not None)

    def _images(self, labels: Sequence[np.ndarray]) -> Steps[tuple[Images, ...]]:
        images = []
        for stack in labels:
            made = yield from label_images(self._content, stack)
            images.append(made)
        return tuple(images)

    def _check_labels(self, labels: Sequence[np.ndarray]) -> None:
        shape = self._content.frames.pixels.shape
        largest = max(structure.label for structure in STRUCTURES)
        for stack in labels:
            if stack.shape != shape or stack.dtype != np.uint8 or stack.max() > largest:
                raise ModelError(
                    f"The model {self.options.model} gave labels that do not fit the frames of "
                    f"{self.input_node.GetName()}: choose another model."
                )
        if len(labels) != len(self._image_nodes):
            raise ValueError(f"{len(labels)} stacks of labels for {len(self._image_nodes)} images")

    def _attributes(self, provenance: Mapping[str, str]) -> dict[str, str]:
        attributes = {key: str(value) for key, value in provenance.items()}
        attributes[SLICE_AXIS] = self.options.axis
        size = self._content.frames.pixel_size
        if size is not None:
            attributes[PIXEL_SIZE] = f"{size[1]:.6g} {size[0]:.6g}"
        return attributes


def segment_node(
    run: SegmentationRun,
    segmenter: Segment,
    provenance: Mapping[str, str] | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> SegmentationOutputs:
    """Do `run` here and now, in this process, and return its outputs.

    provenance: None for that of the segmenter; progress(done, total) is called after each frame of all
    images; cancelled() is polled. Raises what the run and the segmenter raise: InputError, ModelError,
    EnhancementCancelled.
    """
    stacks = run_to_end(run.prepare(), cancelled)
    total = sum(len(stack) for stack in stacks)
    labels = []
    for stack in stacks:
        done = sum(len(stack) for stack in labels)

        def tell(count: int, _: int, done: int = done) -> None:
            if progress is not None:
                progress(done + count, total)

        labels.append(segmenter(stack, progress=tell, cancelled=cancelled))
    if provenance is None:
        provenance = segmenter.provenance()
    return run_to_end(
        run.finish(labels, provenance), lambda: not run.is_writing and cancelled is not None and cancelled()
    )


def _check_alike(content: Content, enhanced: Content) -> None:
    """Raise InputError unless an enhanced image has the frames of the input, where they lie."""
    name, other = content.frames.name, enhanced.frames.name
    if enhanced.frames.pixels.shape != content.frames.pixels.shape or len(enhanced.layouts) != len(
        content.layouts
    ):
        raise InputError(
            f"{other} has other frames than {name} in number or size: choose an image made from {name}."
        )
    for own, its in zip(content.layouts, enhanced.layouts, strict=True):
        if not _is_in_place(own, its):
            raise InputError(f"{other} does not lie where {name} does: choose an image made from {name}.")


def _is_in_place(layout: VolumeLayout, other: VolumeLayout) -> bool:
    corners = np.array(list(np.ndindex(2, 2, 2)))
    places = []
    for own in (layout, other):
        first, last = np.array(own.extent[::2]), np.array(own.extent[1::2])
        indices = first + corners * (last - first)
        places.append(indices @ own.ijk_to_ras[:3, :3].T + own.ijk_to_ras[:3, 3])
    smallest = np.linalg.norm(layout.ijk_to_ras[:3, :3], axis=0).min()
    return bool(np.abs(places[0] - places[1]).max() <= _TOLERANCE * smallest)
