"""The nodes of outlined structures: segmentations and angles, put into the scene or taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import slicer

from .created_nodes import CreatedNodes, remove
from .extraction import Content
from .outputs import INPUT_ROLE
from .progression_markups import display_angle, fill_angle, new_angle
from .results import Images
from .segmentations import Look, display_outlines, fill_segmentation, new_segmentation
from .sequences import copy_index, find_browser, is_sequence, play_with, shown_volume
from .steps import Steps

if TYPE_CHECKING:
    from ..segmentation.comparison import Comparison
    from ..segmentation.progression import Progression

MOST_ANGLES = 50
"""Angles drawn on one volume, each a node of its own; the table has those of all frames."""


@dataclass(frozen=True)
class Outlined:
    """What was made from one image: its structures and their angle of progression.

    node: the image; segmentation: a segmentation node, or a sequence of them; angles: a markup for each
    measured frame of a volume, or one sequence of markups; empty where no angle could be measured
    """

    node: Any
    segmentation: Any
    angles: tuple[Any, ...]


@dataclass(frozen=True)
class SegmentationOutputs:
    """What a segmentation gives.

    original: of the input; enhanced: of the enhanced image, or None; table: the means of the figures, then
    those of each frame; plots: the charts of the curves over the frames, the main one first; notes: sentences
    that the user should read; comparison: the figures, without the nodes, or None for an image alone;
    created: all nodes that came into the scene; names: nodes of them with the names that they would have,
    were they the only ones
    """

    original: Outlined
    enhanced: Outlined | None
    table: Any
    plots: tuple[Any, ...]
    notes: tuple[str, ...] = ()
    comparison: Comparison | None = None
    created: tuple[Any, ...] = field(default=(), repr=False)
    names: tuple[tuple[Any, str], ...] = field(default=(), repr=False)

    @property
    def segmentation(self) -> Any:
        """The structures of the input."""
        return self.original.segmentation

    def remove(self) -> None:
        """Take all of it out of the scene, for example before it is made anew."""
        remove(self.created)

    def replace(self, former: SegmentationOutputs) -> None:
        """Take former outputs for the same input out of the scene, and take over their names."""
        # A browser that was made for the former ones plays these too.
        remove(node for node in former.created if not node.IsA("vtkMRMLSequenceBrowserNode"))
        for node, name in self.names:
            # Of its class: the node that plays a sequence has the sequence's name.
            others = slicer.util.getNodesByClass(node.GetClassName())
            if node in others and name not in {other.GetName() for other in others}:
                node.SetName(name)


class SegmentationWriter(CreatedNodes):
    """Puts structures and angles beside an input. Nodes that it made are removed again by `roll_back`."""

    def __init__(self, input_node: Any, content: Content, attributes: Mapping[str, str]) -> None:
        super().__init__()
        self._input = input_node
        self._content = content
        self._attributes = attributes
        self._names: list[tuple[Any, str]] = []

    @property
    def created(self) -> tuple[Any, ...]:
        """All nodes that were made up to now."""
        return tuple(self._created)

    @property
    def names(self) -> tuple[tuple[Any, str], ...]:
        """The nodes whose names may have got a number, each with the name that was wanted."""
        return tuple(self._names)

    def add_named(self, node: Any) -> Any:
        """Put a node into the scene, with a number behind its name if that is taken; return it."""
        self._names.append((node, node.GetName()))
        node.SetName(slicer.mrmlScene.GenerateUniqueName(node.GetName()))
        return self.add(node)

    def write_segmentation(self, images: Images, image_node: Any, look: Look) -> Steps[Any]:
        """Return, in steps, a new segmentation node, or a sequence of them, of the structures in `images`.

        image_node: the image that they were seen in.
        """
        name = f"{image_node.GetName()} structures"

        def fill(node: Any, item: int) -> None:
            fill_segmentation(node, images.images[item], images.layouts[item], look)

        def show(node: Any) -> None:
            display_outlines(node, shown_volume(self._input), look)

        if is_sequence(self._input):
            return (yield from self._write_sequence(name, new_segmentation, fill, show, image_node))
        return self._write_node(new_segmentation(name), lambda node: fill(node, 0), show, image_node)

    def write_angles(
        self, angles: Sequence[Progression | None], image_node: Any, look: Look
    ) -> Steps[tuple[Any, ...]]:
        """Return, in steps, new markups of the angle in each frame, or one sequence of them.

        angles: of all frames; None where it was not measured. Of items of several frames the first measured
        one is drawn in a sequence, and `MOST_ANGLES` on a volume.
        """
        count, axis = self._content.frames_per_item, self._content.frames.axis
        layouts = self._content.layouts
        name = f"{image_node.GetName()} angle of progression"

        def show(markup: Any) -> None:
            display_angle(markup, look.angle)

        def measured(item: int) -> list[int]:
            frames = range(item * count, (item + 1) * count)
            return [frame - item * count for frame in frames if angles[frame] is not None]

        def fill(markup: Any, item: int, frame: int) -> None:
            fill_angle(markup, angles[item * count + frame], layouts[item], axis, frame)

        if not any(measured(item) for item in range(len(layouts))):
            return ()
        if is_sequence(self._input):

            def fill_first(markup: Any, item: int) -> None:
                for frame in measured(item)[:1]:
                    fill(markup, item, frame)

            sequence = yield from self._write_sequence(name, new_angle, fill_first, show, image_node)
            # What the user moves in one frame is there when she comes back to it.
            find_browser(sequence).SetSaveChanges(sequence, True)
            return (sequence,)
        markups = []
        for frame in measured(0)[:MOST_ANGLES]:
            own = name if count == 1 else f"{name}, frame {frame + 1}"
            markups.append(
                self._write_node(
                    new_angle(own), lambda markup, frame=frame: fill(markup, 0, frame), show, image_node
                )
            )
            yield
        return tuple(markups)

    def mark(self, node: Any, image_node: Any) -> Any:
        """Say in a node how and from which image it was made; return it."""
        for key, value in self._attributes.items():
            node.SetAttribute(key, value)
        node.SetNodeReferenceID(INPUT_ROLE, image_node.GetID())
        return node

    def _write_node(
        self, node: Any, fill: Callable[[Any], None], show: Callable[[Any], None], image_node: Any
    ) -> Any:
        fill(node)
        self.add_named(node)
        self.mark(node, image_node)
        node.SetAndObserveTransformNodeID(self._input.GetTransformNodeID())
        show(node)
        return node

    def _write_sequence(
        self,
        name: str,
        new_item: Callable[[str], Any],
        fill: Callable[[Any, int], None],
        show: Callable[[Any], None],
        image_node: Any,
    ) -> Steps[Any]:
        sequence = slicer.vtkMRMLSequenceNode()
        copy_index(self._input, sequence)
        for item in range(len(self._content.layouts)):
            # The sequence copies what it is given: an empty node, whose copy is then filled.
            value = self._input.GetNthIndexValue(item)
            fill(sequence.SetDataNodeAtValue(new_item(name), value), item)
            yield
        sequence.SetName(name)
        self.add_named(sequence)
        self.mark(sequence, image_node)
        self.remember(play_with(sequence, self._input))
        node = shown_volume(sequence)
        if node is not None:
            self._names.append((node, name))  # made and named by the browser
            shown = shown_volume(self._input)
            node.SetAndObserveTransformNodeID(shown.GetTransformNodeID() if shown else None)
            show(node)
        return sequence
