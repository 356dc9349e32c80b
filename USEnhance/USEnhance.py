"""USEnhance in 3D Slicer: module, panel, logic and self-test. What needs no Qt lives in USEnhanceLib.mrml."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

MODULE_FOLDER = Path(__file__).resolve().parent
if str(MODULE_FOLDER) not in sys.path:
    sys.path.append(str(MODULE_FOLDER))
try:
    import USEnhanceLib  # noqa: F401
except ImportError:  # run from source: the library lies beside this folder
    sys.path.append(str(MODULE_FOLDER.parent))

from USEnhancePanel.background_work import BackgroundWork
from USEnhancePanel.method_options import ChoiceBoxes, DiffusionOptions
from USEnhancePanel.parameters import USEnhanceParameterNode
from USEnhancePanel.segmentation_section import SegmentationSection
from USEnhancePanel.self_test import USEnhanceTest
from USEnhancePanel.work_display import WorkDisplay

from USEnhanceLib.errors import EnhancementCancelled, InputError, USEnhanceError
from USEnhanceLib.mrml import EnhancementRun, Options, Outputs, check_input, enhance_node
from USEnhanceLib.mrml.background import Listener
from USEnhanceLib.mrml.choices import is_output_for, likely_input, original_of, output_classes
from USEnhanceLib.mrml.dependencies import ensure_dependencies, ensure_segmentation_dependencies
from USEnhanceLib.mrml.display import show, show_overlay
from USEnhanceLib.mrml.extraction import warm_up
from USEnhanceLib.mrml.segmentation_outputs import SegmentationOutputs
from USEnhanceLib.mrml.segmentation_run import SegmentationOptions, SegmentationRun, segment_node
from USEnhanceLib.mrml.sequences import is_sequence
from USEnhanceLib.mrml.status import done_sentence, ready_sentence, started_sentence
from USEnhanceLib.mrml.terminology import load_terminology
from USEnhanceLib.segmentation import load_segmenter

__all__ = ["USEnhance", "USEnhanceLogic", "USEnhanceParameterNode", "USEnhanceTest", "USEnhanceWidget"]

if TYPE_CHECKING:
    from USEnhanceLib.enhancement import EnhancementResult

REQUIREMENTS = MODULE_FOLDER / "Resources" / "requirements.txt"


class USEnhance(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("USEnhance")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Ultrasound")]
        self.parent.dependencies = ["Markups", "Plots", "Segmentations", "Sequences"]
        self.parent.dependencies += ["Terminologies", "Volumes"]
        self.parent.contributors = ["USEnhance contributors"]
        self.parent.helpText = _(
            "Enhances B-mode ultrasound (volumes, cines and sweeps) with a neural network that reduces "
            "speckle and blur inside the scan sector, or with a classical filter. A map shows where the "
            "result of the network is uncertain. Fetal head and pubic symphysis can be outlined before and "
            "after, with Dice and the angle of progression. It is an aid for reading, not a replacement of "
            "the original."
        )
        self.parent.acknowledgementText = _(
            'The methods follow <a href="https://arxiv.org/abs/2601.21856">arXiv 2601.21856</a> '
            "(self-supervised SCUNet for ultrasound) and "
            '<a href="https://arxiv.org/abs/2602.22717">arXiv 2602.22717</a> (diffusion with uncertainty).'
        )


class USEnhanceWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel."""

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: USEnhanceLogic | None = None
        self._parameterNode: USEnhanceParameterNode | None = None
        self._parameterNodeGuiTag: Any = None
        self._observedInput: Any = None
        self._saidOfInput: tuple[Any, str] = (None, "")
        self._overlay: tuple[Any, float] = (None, 0.0)

    # Slicer's conventions

    def setup(self) -> None:
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/USEnhance.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = USEnhanceLogic()
        warm_up()
        self._display = WorkDisplay(self.ui)
        self._segmentation = SegmentationSection(self.ui, self.logic, self._display, self._checkInput)
        self._choices = ChoiceBoxes(self.ui, self.onChoiceChanged)
        self._diffusionOptions = DiffusionOptions(self.ui)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(scene, scene.NodeAboutToBeRemovedEvent, self.onNodeAboutToBeRemoved)
        self.ui.enhanceButton.connect("clicked(bool)", self.onEnhanceButton)
        self.ui.beforeAfterButton.connect("toggled(bool)", self.onBeforeAfterToggled)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        # Else the parameter node, which lives on, would write to widgets that are gone.
        self.setParameterNode(None)
        self.removeObservers()
        self._segmentation.close()
        self.logic.background.close()

    def enter(self) -> None:
        self.initializeParameterNode()

    def exit(self) -> None:
        # Another module may change the parameters: the panel is brought up to date on entering.
        self.setParameterNode(None)

    def onSceneStartClose(self, caller: Any = None, event: Any = None) -> None:
        self.logic.background.abandon(InputError(_("The scene was closed before the work on it was done.")))
        self.setParameterNode(None)

    def onSceneEndClose(self, caller: Any = None, event: Any = None) -> None:
        if self.parent.isEntered:
            self.initializeParameterNode()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def onNodeAboutToBeRemoved(self, caller: Any, event: Any, node: Any) -> None:
        """End work on a node that goes, and forget outputs before a selector moves on to the next node."""
        self.logic.background.on_node_about_to_be_removed(node)
        for name in ("outputNode", "uncertaintyNode"):
            if self._parameterNode and self._parameterNode.getValue(name) is node:
                self._parameterNode.setValue(name, None)
        self._segmentation.forget(node)

    def initializeParameterNode(self) -> None:
        self.setParameterNode(self.logic.getParameterNode())
        if not self._parameterNode.inputNode:
            self._parameterNode.inputNode = likely_input()

    def setParameterNode(self, inputParameterNode: "USEnhanceParameterNode | None") -> None:
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanEnhance)
        self._parameterNode = inputParameterNode
        if not self._parameterNode:
            self._observeInput(None)
            self._segmentation.show(None)
        else:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanEnhance)
            self._checkCanEnhance()

    # The panel and the parameters

    def onChoiceChanged(self, index: int) -> None:
        if self._parameterNode:
            self._choices.read(self._parameterNode)

    def _checkCanEnhance(self, caller: Any = None, event: Any = None) -> None:
        """Bring the panel in line with the parameters."""
        parameters = self._parameterNode
        self._choices.show(parameters)
        self._diffusionOptions.show(parameters)
        self._matchOutputs()
        self._observeInput(parameters.inputNode)
        self._checkInput()
        self._updateView()
        self._segmentation.show(parameters)

    def _checkInput(self, caller: Any = None, event: Any = None) -> None:
        """Say what can be said of an input that is chosen, or whose pixels have come or gone."""
        if self._parameterNode is None or self.logic.background.busy:
            return
        node = self._parameterNode.inputNode
        try:
            check_input(node)
        except InputError as error:
            said, isError = str(error), node is not None
        else:
            said, isError = ready_sentence(node), False
        self.ui.enhanceButton.enabled = self.ui.segmentButton.enabled = node is not None
        # Once only: what the last click did stays to be read while a cine plays.
        if (node, said) != self._saidOfInput:
            self._saidOfInput = (node, said)
            self._display.say(said, isError)

    def _observeInput(self, node: Any | None) -> None:
        if node is not self._observedInput:
            if self._observedInput is not None:
                self.removeObserver(self._observedInput, vtk.vtkCommand.ModifiedEvent, self._checkInput)
            if node is not None:
                self.addObserver(node, vtk.vtkCommand.ModifiedEvent, self._checkInput)
            self._observedInput = node

    def _matchOutputs(self) -> None:
        """Offer only outputs of the input's kind, and let go of results that belong to another input."""
        node = self._parameterNode.inputNode
        if node is None:
            return
        selectors = (self.ui.outputSelector, self.ui.uncertaintySelector)
        names = ("outputNode", "uncertaintyNode")
        for name, selector, className in zip(names, selectors, output_classes(node), strict=True):
            output = self._parameterNode.getValue(name)
            if output is not None and (output is node or not is_output_for(output, node, className)):
                self._parameterNode.setValue(name, None)
            if tuple(selector.nodeTypes) != (className,):
                selector.nodeTypes = [className]
        created = _("Create new sequence") if is_sequence(node) else _("Create new volume")
        self.ui.outputSelector.noneDisplay = created
        isWanted = self._parameterNode.showUncertainty
        self.ui.uncertaintySelector.noneDisplay = created if isWanted else _("None")

    def _updateView(self) -> None:
        parameters = self._parameterNode
        self.ui.beforeAfterButton.enabled = original_of(parameters.outputNode) is not None
        node = parameters.uncertaintyNode
        wanted = node if parameters.showUncertainty and original_of(node) is not None else None
        if (wanted, parameters.overlayOpacity) != self._overlay:
            if wanted is not None or self._overlay[0] is not None:
                show_overlay(wanted, parameters.overlayOpacity)
            self._overlay = (wanted, parameters.overlayOpacity)

    def onBeforeAfterToggled(self, showsOriginal: bool) -> None:
        output = self._parameterNode.outputNode if self._parameterNode else None
        original = original_of(output)
        self.ui.beforeAfterButton.text = _("Show enhanced") if showsOriginal else _("Show original")
        if original is not None:
            show(original if showsOriginal else output)

    # The work

    def onEnhanceButton(self) -> None:
        """Start, or cancel what was started."""
        if self.logic.background.busy:
            self._display.say(_("Cancelling ..."))
            self.logic.background.cancel()
            return
        parameters = self._parameterNode
        options = Options(
            method=parameters.method,
            uncertainty=parameters.showUncertainty,
            strength=parameters.strength,
            device=parameters.device,
            seed=parameters.seed,
            axis=parameters.axis,
            **self._diffusionOptions.values(parameters),
        )
        listener = Listener(
            self.logic.background.take_turns,
            self._onStarted,
            self._display.progress,
            self._onDone,
            self._onFailed,
            self._onCancelled,
        )
        try:
            self.logic.enhanceInBackground(
                parameters.inputNode, options, parameters.outputNode, parameters.uncertaintyNode, listener
            )
        except USEnhanceError as error:
            self._onFailed(error)
            return
        self._display.begin("enhance")

    def _endWork(self) -> None:
        self._display.end()
        self._checkInput()

    def _onStarted(self, description: Mapping[str, Any]) -> None:
        self._display.started(started_sentence(description))

    def _onDone(self, outputs: Outputs, result: "EnhancementResult") -> None:
        self._endWork()
        # Also while another module is shown, when this panel holds no parameters.
        parameters = self.logic.getParameterNode()
        parameters.outputNode = outputs.volume
        parameters.uncertaintyNode = outputs.uncertainty
        self.ui.beforeAfterButton.checked = False
        show(outputs.volume)
        self._overlay = (None, 0.0)  # the same map may have new labels
        if self._parameterNode:
            self._updateView()
            self._segmentation.show(self._parameterNode)
        self._display.say(done_sentence(outputs, result))

    def _onFailed(self, error: USEnhanceError) -> None:
        self._endWork()
        self._display.say(str(error), is_error=True)

    def _onCancelled(self) -> None:
        self._endWork()
        self._display.say(str(EnhancementCancelled()))


class USEnhanceLogic(ScriptedLoadableModuleLogic):
    """Enhances and segments nodes: at once from Python's console, in the background from the panel.

    logic = slicer.util.getModuleLogic("USEnhance")
    outputs = logic.enhance(inputNode, method="scunet", uncertainty=True)
    outputs.volume, outputs.uncertainty, outputs.distrust, outputs.notes
    table = logic.compareSegmentation(inputNode, outputs.volume)
    """

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self.background = BackgroundWork()
        load_terminology(MODULE_FOLDER / "Resources" / "USEnhance.term.json")

    def getParameterNode(self) -> USEnhanceParameterNode:
        return USEnhanceParameterNode(super().getParameterNode())

    def enhance(
        self,
        inputNode: Any,
        method: str = "scunet",
        uncertainty: bool = False,
        outputNode: Any | None = None,
        uncertaintyNode: Any | None = None,
        strength: float = 1.0,
        device: str = "auto",
        seed: int = 0,
        axis: str = "k",
        progress: Callable[[int, int], object] | None = None,
        cancelled: Callable[[], bool] | None = None,
        steps: int | None = None,
        samples: int | None = None,
    ) -> Outputs:
        """Enhance a volume or a sequence, and return .volume, .uncertainty, .distrust and .notes.

        Works in Slicer's own process and returns when it is done: a script wants the result in the next
        line. Output nodes are made when not given, and removed again on failure. The uncertainty is of the
        input's kind too; with it come labels of what is not to be trusted, in the node that belongs to the
        uncertaintyNode or a new one. method: "scunet", a classical filter such as "lee", or the folder of a
        model; strength: 0 to 1; steps and samples of diffusion methods: None for the model's own;
        device: "auto", "cpu", "cuda", "mps"; axis along which frames are stacked: "k", "j" or "i";
        progress(done, total) after each frame; cancelled() -> bool is polled. Raises a USEnhanceError: one
        sentence that says what to do.
        """
        options = Options(method, uncertainty, strength, device, seed, axis, steps, samples)
        run = EnhancementRun(inputNode, options, outputNode, uncertaintyNode)
        ensure_dependencies(REQUIREMENTS, method)
        return enhance_node(run, progress, cancelled)

    def enhanceInBackground(
        self, inputNode: Any, options: Options, outputNode: Any, uncertaintyNode: Any, listener: Listener
    ) -> None:
        """Start in the worker process and return; raises a USEnhanceError for what fails at once."""
        run = EnhancementRun(inputNode, options, outputNode, uncertaintyNode)
        ensure_dependencies(REQUIREMENTS, options.method)
        self.background.enhance(run, listener)

    def segment(
        self,
        inputNode: Any,
        enhancedNode: Any | None = None,
        referenceNode: Any | None = None,
        model: str = "fhps",
        device: str = "auto",
        axis: str = "k",
        inferior_side: str | None = None,
        progress: Callable[[int, int], object] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> SegmentationOutputs:
        """Outline fetal head and pubic symphysis, and return .segmentation, .table, .plots, .notes and more.

        enhancedNode: outlined too, and compared; referenceNode: a segmentation, label map or sequence of
        either, drawn on the input; model: a shipped one or a folder; inferior_side: "left" or "right", where
        the symphysis' inferior end points, None to judge it; the rest and errors as for `enhance`.
        """
        options = SegmentationOptions(model, device, axis, inferior_side)
        run = SegmentationRun(inputNode, options, enhancedNode, referenceNode)
        ensure_segmentation_dependencies(REQUIREMENTS)
        return segment_node(run, load_segmenter(model, device), progress=progress, cancelled=cancelled)

    def compareSegmentation(
        self, inputNode: Any, enhancedNode: Any, referenceNode: Any | None = None, **options: Any
    ) -> Any:
        """Do what `segment` does, with its options; return the table, of accuracy if there is a reference."""
        return self.segment(inputNode, enhancedNode, referenceNode, **options).table

    def segmentInBackground(self, run: SegmentationRun, listener: Listener) -> None:
        """Start in the worker process and return; raises a USEnhanceError for what fails at once."""
        ensure_segmentation_dependencies(REQUIREMENTS)
        self.background.segment(run, listener)
