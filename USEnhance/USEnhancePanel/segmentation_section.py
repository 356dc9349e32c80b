"""The section "Segmentation and Dice" of the panel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import vtk
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from USEnhanceLib.errors import EnhancementCancelled, USEnhanceError
from USEnhanceLib.mrml.background import Listener
from USEnhanceLib.mrml.choices import original_of
from USEnhanceLib.mrml.figures_plots import charts_of, show_next_chart
from USEnhanceLib.mrml.outlines import (
    circumference_in_words,
    progression_in_words,
    show_outlines,
    shown_angles,
)
from USEnhanceLib.mrml.segmentation_outputs import SegmentationOutputs
from USEnhanceLib.mrml.segmentation_run import SegmentationOptions, SegmentationRun
from USEnhanceLib.mrml.sequences import find_browser, is_sequence
from USEnhanceLib.mrml.status import segmented_sentence, segmenting_sentence
from USEnhanceLib.segmentation.orientation import inferior_side_of

from .work_display import WorkDisplay

if TYPE_CHECKING:
    from USEnhanceLib.worker.outcome import SegmentationResult

NODES = ("referenceNode", "tableNode")
"""Parameters of this section that are nodes."""


class SegmentationSection(VTKObservationMixin):
    """Segments the chosen input and its enhanced image, and shows what comes of it."""

    def __init__(self, ui: Any, logic: Any, display: WorkDisplay, on_end: Callable[[], object]) -> None:
        """`on_end` is called when work has ended, before its end is told in the status line."""
        VTKObservationMixin.__init__(self)
        self._ui = ui
        self._logic = logic
        self._display = display
        self._on_end = on_end
        self._parameters: Any | None = None
        self._shown: tuple[Any, ...] = ()
        self._outputs: dict[str, SegmentationOutputs] = {}
        ui.segmentButton.connect("clicked(bool)", self._on_button)
        ui.chartsButton.connect("clicked(bool)", self._on_charts_button)

    def show(self, parameters: Any | None) -> None:
        """Bring the section in line with the parameters; None while the panel has none."""
        self._parameters = parameters
        if parameters is None:
            self._shown = ()
            self._ui.diceTableView.setMRMLTableNode(None)
            self._ui.chartsButton.enabled = False
            self._observe_angles()
            return
        if not self._logic.background.busy:
            self._ui.segmentButton.enabled = parameters.inputNode is not None
        self._ui.agreementLabel.text = (
            _(
                "Without a reference the table tells how well the outlines of original and enhanced image "
                "agree. Agreement is not accuracy: both may be wrong in the same way."
            )
            if parameters.referenceNode is None
            else _(
                "The table tells how accurate the outlines are: how well those of the original and of the "
                "enhanced image match the reference, as far as the reference is right."
            )
        )
        table = self._table(parameters)
        self._ui.chartsButton.enabled = bool(charts_of(table))
        shown = (table, *self._images(parameters), parameters.showOutlines)
        if shown != self._shown:
            self._shown = shown
            self._ui.diceTableView.setMRMLTableNode(table)
            show_outlines(self._images(parameters), parameters.showOutlines)
            self._observe_angles()
        self._tell_measurements()

    def close(self) -> None:
        """Let go of the scene."""
        self.show(None)
        self.removeObservers()

    def forget(self, node: Any) -> None:
        """Let go of a node that goes, before a selector moves on to the next one."""
        for name in NODES:
            if self._parameters and self._parameters.getValue(name) is node:
                self._parameters.setValue(name, None)
        self._outputs = {
            key: outputs for key, outputs in self._outputs.items() if outputs.original.node is not node
        }
        charts = charts_of(self._table(self._parameters)) if self._parameters else []
        self._ui.chartsButton.enabled = any(chart is not node for chart in charts)

    # What is shown

    @staticmethod
    def _images(parameters: Any) -> tuple[Any, Any]:
        """Return the input, and its enhanced image; None for what there is not."""
        node, enhanced = parameters.inputNode, parameters.outputNode
        is_made = node is not None and original_of(enhanced) is node
        return node, enhanced if is_made else None

    @staticmethod
    def _table(parameters: Any) -> Any | None:
        """Return the table, unless it is of another input."""
        node = parameters.inputNode
        return (
            parameters.tableNode if node is not None and original_of(parameters.tableNode) is node else None
        )

    def _observe_angles(self) -> None:
        """Follow what is drawn: the user moves points, and a cine shows another frame."""
        self.removeObservers(self._tell_measurements)
        if self._parameters is None:
            return
        node, enhanced = self._images(self._parameters)
        for markup in shown_angles(node) + shown_angles(enhanced):
            for event in (vtk.vtkCommand.ModifiedEvent, markup.PointModifiedEvent):
                self.addObserver(markup, event, self._tell_measurements)
        browser = find_browser(node) if node is not None and is_sequence(node) else None
        if browser is not None:
            self.addObserver(browser, vtk.vtkCommand.ModifiedEvent, self._tell_measurements)

    def _tell_measurements(self, *_event: Any) -> None:
        if self._parameters is not None:
            images = self._images(self._parameters)
            self._ui.progressionLabel.text = progression_in_words(*images)
            self._ui.circumferenceLabel.text = circumference_in_words(
                images[0], self._table(self._parameters)
            )

    def _on_charts_button(self) -> None:
        if self._parameters is not None:
            show_next_chart(self._table(self._parameters))

    # The work

    def _on_button(self) -> None:
        """Start, or cancel what was started."""
        background = self._logic.background
        if background.busy:
            self._display.say(_("Cancelling ..."))
            background.cancel()
            return
        parameters = self._logic.getParameterNode()
        node, enhanced = self._images(parameters)
        options = SegmentationOptions(
            parameters.segmentationModel,
            parameters.device,
            parameters.axis,
            inferior_side_of(parameters.display),
        )
        listener = Listener(
            background.take_turns,
            self._on_started,
            self._display.progress,
            self._on_done,
            self._on_failed,
            self._on_cancelled,
        )
        try:
            run = SegmentationRun(node, options, enhanced, parameters.referenceNode)
            self._logic.segmentInBackground(run, listener)
        except USEnhanceError as error:
            self._on_failed(error)
            return
        self._display.begin("segment")

    def _on_started(self, description: Mapping[str, Any]) -> None:
        self._display.started(segmenting_sentence(description))

    def _on_done(self, outputs: SegmentationOutputs, results: tuple[SegmentationResult, ...]) -> None:
        self._end()
        parameters = self._logic.getParameterNode()
        self._replace(outputs, parameters.referenceNode)
        parameters.tableNode = outputs.table
        if self._parameters is not None:
            self._shown = ()
            self.show(self._parameters)
        self._display.say(segmented_sentence(outputs, results))

    def _replace(self, outputs: SegmentationOutputs, reference: Any | None) -> None:
        """Take away what the last click made for this input, unless the user made it the reference."""
        key = outputs.original.node.GetID()
        former = self._outputs.get(key)
        self._outputs[key] = outputs
        if former is not None and reference not in former.created:
            outputs.replace(former)

    def _on_failed(self, error: USEnhanceError) -> None:
        self._end()
        self._display.say(str(error), is_error=True)

    def _on_cancelled(self) -> None:
        self._end()
        self._display.say(str(EnhancementCancelled()))

    def _end(self) -> None:
        self._display.end()
        self._on_end()
