"""The nodes of a result: checked before the work, put into the scene after it, taken away if that fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import slicer

from ..errors import InputError, OutputError
from .created_nodes import CreatedNodes
from .display import display_like, display_uncertainty
from .distrust import ABOVE, attribute_of, display_labels, find_colours, labels_of, new_colours
from .results import Images
from .sequences import SEQUENCE, copy_index, is_sequence, play_with, shown_volume
from .steps import Steps
from .volumes import LABELS, SCALAR, describe_type, new_volume

Show = Callable[[Any, Any], object]
"""Sets the display of a volume node, given that of the input, which may be None."""

INPUT_ROLE = "USEnhance.Input"
_TYPE_WORDS = {
    SCALAR: "a greyscale volume",
    "vtkMRMLVectorVolumeNode": "a colour volume",
    SEQUENCE: "a sequence",
}


@dataclass(frozen=True)
class Outputs:
    """What an enhancement gives.

    volume: the enhanced volume or sequence node; uncertainty: the volume or sequence node of standard
    deviations in 0..1, or None; distrust: the label volume, or sequence of them, of the regions that are too
    uncertain to be trusted (1, elsewhere 0), made with the uncertainty; notes: sentences that the user should
    read
    """

    volume: Any
    uncertainty: Any | None = None
    distrust: Any | None = None
    notes: tuple[str, ...] = ()


def check_outputs(input_node: Any, output_node: Any | None, uncertainty_node: Any | None) -> None:
    """Raise InputError unless the given output nodes can take the results for `input_node`.

    They must be in the scene, of the right type, and neither the input nor each other.
    """
    volume_class = input_node.GetClassName()
    uncertainty_class = SEQUENCE if is_sequence(input_node) else SCALAR
    for node, class_name, what in (
        (output_node, volume_class, "enhanced image"),
        (uncertainty_node, uncertainty_class, "uncertainty"),
    ):
        if node is None:
            continue
        if node is input_node or node is shown_volume(input_node):
            raise InputError(
                f"{node.GetName()} is the input and is never changed: choose another output for the {what}."
            )
        if node.GetScene() is not slicer.mrmlScene:
            raise InputError(f"{node.GetName()} is no longer in the scene: choose another output.")
        if node.GetClassName() != class_name:
            raise InputError(
                f"{node.GetName()} ({describe_type(node)}) cannot hold the {what}: "
                f"choose {_TYPE_WORDS[class_name]}, or none to have one made."
            )
    if output_node is not None and output_node is uncertainty_node:
        raise InputError(
            f"{output_node.GetName()} is chosen both for the enhanced image and for the uncertainty: "
            "choose two different nodes."
        )


class OutputWriter(CreatedNodes):
    """Puts results into the scene. Nodes that it made are removed again by `roll_back`."""

    def __init__(self, input_node: Any) -> None:
        super().__init__()
        self._input = input_node

    @staticmethod
    def check_given(*nodes: Any | None) -> None:
        """Raise OutputError if one of the given output nodes was deleted meanwhile."""
        for node in nodes:
            if node is not None and node.GetScene() is not slicer.mrmlScene:
                raise OutputError(f"The output {node.GetName()} was deleted meanwhile: choose another one.")

    def write_enhanced(
        self, images: Images, given: Any | None, name: str, attributes: Mapping[str, str]
    ) -> Steps[Any]:
        """Put `images` into the node `given`, or into a new one called `name`; return it, in steps."""
        return (yield from self._write(images, given, name, attributes, display_like))

    def write_uncertainty(
        self, images: Images, given: Any | None, name: str, attributes: Mapping[str, str]
    ) -> Steps[Any]:
        """Do what `write_enhanced` does with a map, which is shown in colours of its own."""

        def show(volume: Any, _: Any) -> None:
            display_uncertainty(volume, images.images[0])

        return (yield from self._write(images, given, name, attributes, show))

    def write_distrust(
        self, images: Images, uncertainty: Any, name: str, attributes: Mapping[str, str], above: float
    ) -> Steps[Any]:
        """Put labels into the node that `uncertainty` refers to, or into a new one; return it, in steps.

        `above`: the threshold, which the colours tell. Labels of another input are not written to.
        """
        colours = find_colours(above) or self.add(new_colours(above))
        class_name = SEQUENCE if is_sequence(self._input) else LABELS
        given = labels_of(uncertainty)
        if given is not None and not (
            given.GetClassName() == class_name and given.GetNodeReference(INPUT_ROLE) is self._input
        ):
            given = None

        def show(volume: Any, _: Any) -> None:
            display_labels(volume, colours)

        attributes = {**attributes, ABOVE: attribute_of(above)}
        return (yield from self._write(images, given, name, attributes, show))

    def _write(
        self, images: Images, given: Any | None, name: str, attributes: Mapping[str, str], show: Show
    ) -> Steps[Any]:
        if is_sequence(self._input):
            node = yield from self._write_sequence(images, given, name, show)
        else:
            node = self._write_volume(images, given, name, show)
        for key, value in attributes.items():
            node.SetAttribute(key, value)
        node.SetNodeReferenceID(INPUT_ROLE, self._input.GetID())
        return node

    def _write_volume(self, images: Images, given: Any | None, name: str, show: Show) -> Any:
        layout = images.layouts[0]
        volume = given
        if volume is None:
            volume = self.add(new_volume(layout, slicer.mrmlScene.GenerateUniqueName(name)))
        # Before the image is set: else Slicer looks at all of its pixels for a window.
        show(volume, self._input)
        layout.place(volume, images.images[0])
        volume.SetAndObserveTransformNodeID(self._input.GetTransformNodeID())
        return volume

    def _write_sequence(self, images: Images, given: Any | None, name: str, show: Show) -> Steps[Any]:
        if given is None:
            # It is filled before the scene sees it.
            sequence = yield from self._fill(slicer.vtkMRMLSequenceNode(), images)
            sequence.SetName(slicer.mrmlScene.GenerateUniqueName(name))
            self.add(sequence)
        else:
            sequence = given
            sequence.RemoveAllDataNodes()
            yield from self._fill(sequence, images)
        self.remember(play_with(sequence, self._input))
        volume = shown_volume(sequence)
        if volume is not None:
            shown_input = shown_volume(self._input)
            show(volume, shown_input)
            volume.SetAndObserveTransformNodeID(shown_input.GetTransformNodeID() if shown_input else None)
        return sequence

    def _fill(self, sequence: Any, images: Images) -> Steps[Any]:
        copy_index(self._input, sequence)
        name = self._input.GetName()
        for index, (layout, image) in enumerate(zip(images.layouts, images.images, strict=True)):
            # The sequence copies what it is given: an empty volume, whose copy then gets the image.
            item = sequence.SetDataNodeAtValue(new_volume(layout, name), self._input.GetNthIndexValue(index))
            layout.place(item, image)
            yield
        return sequence
