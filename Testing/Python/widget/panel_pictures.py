"""Pictures of the panel in each of its states: `python panel_pictures.py FOLDER [MODEL [SEGMENTER]]`.

MODEL is a method's name or a model's folder; without it a very small network is made, which enhances nothing.
SEGMENTER is one of those that outline; without it a very small one learns to outline what is drawn here.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[3]
WIDTH, HEIGHT = 440, 700
TIMEOUT_SECONDS = 120.0


def make_tiny_model(folder: Path) -> Path:
    """Save a network of no use but for showing the panel."""
    import torch

    from USEnhanceLib.models import save_model
    from USEnhanceLib.networks.scunet import SCUNet

    torch.manual_seed(0)
    network = SCUNet(dim=16, config=[1] * 7, head_dim=8)
    save_model(folder, network, name="tiny", version="1.0", card="# For tests\n", licence="Apache-2.0\n")
    return folder


def make_tiny_segmenter(folder: Path) -> Path:
    """Save a network that outlines what `draw_structures` of the tests' conftest draws."""
    return conftest().train_segmenter(folder)


def conftest() -> Any:
    """The fixtures' module of all tests, for its drawings."""
    sys.path.insert(0, str(REPOSITORY / "Testing" / "Python"))
    import conftest as module

    return module


def add_drawn_cine(frames: int) -> Any:
    """Add a cine of a drawn symphysis and head, and a browser that plays it."""
    pixels, _ = conftest().draw_structures(frames)
    return add_sequence("Drawn cine", 255 * pixels)


def add_cine(frames: int) -> Any:
    """Add a cine of speckle to the scene, and a browser that plays it."""
    import numpy as np

    rows, columns = np.mgrid[:96, :128]
    tissue = np.where((rows - 48) ** 2 + (columns - 64) ** 2 < 600, 0.1, 0.45)
    noise = np.random.default_rng(1).rayleigh(0.8, (frames, 96, 128))
    return add_sequence("Transperineal cine", 255 * (tissue * noise).clip(0, 1))


def add_sequence(name: str, pixels: Any) -> Any:
    """Add a sequence of frames, [N, H, W] in 0..255, to the scene, and a browser that plays it."""
    import slicer

    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    for index, frame in enumerate(pixels.astype("uint8")):
        item = slicer.vtkMRMLScalarVolumeNode()
        slicer.util.updateVolumeFromArray(item, frame[None])
        item.SetSpacing(0.5, 0.5, 1.0)
        sequence.SetDataNodeAtValue(item, str(index))
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "Browser")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    return sequence


def take_pictures(folder: Path, method: str, segmenter: str) -> list[Path]:
    """Take the panel through its states and save a picture of each; return their paths."""
    import slicer
    from standin import installation
    from standin.application import grab, process_events

    installation.install()
    slicer.app.moduleManager().load(REPOSITORY / "USEnhance" / "USEnhance.py")
    slicer.util.selectModule("USEnhance")
    widget = slicer.util.getModuleWidget("USEnhance")
    slicer.util.mainWindow().show()
    slicer.util.mainWindow().resize(WIDTH, HEIGHT)
    paths: list[Path] = []

    def picture(state: str) -> None:
        slicer.app.processEvents()
        paths.append(grab(widget.parent, folder / f"panel-{state}.png"))

    def wait(until: Callable[[], Any]) -> None:
        process_events(slicer.app, until, TIMEOUT_SECONDS)

    picture("empty")
    cine = add_cine(60)
    widget.ui.inputSelector.setCurrentNode(cine)
    parameters = widget.logic.getParameterNode()
    parameters.method = method
    parameters.showUncertainty = True
    picture("ready")
    widget.ui.enhanceButton.click()
    begin = time.monotonic()
    picture("reading")
    wait(lambda: widget.ui.progressBar.value >= 20 or time.monotonic() > begin + TIMEOUT_SECONDS)
    picture("working")
    wait(lambda: widget.ui.enhanceButton.text == "Enhance")
    picture("done")
    widget.ui.advancedCollapsibleButton.collapsed = False
    picture("advanced")
    widget.ui.advancedCollapsibleButton.collapsed = True
    parameters.method = "nowhere"
    widget.ui.enhanceButton.click()
    wait(lambda: widget.ui.enhanceButton.text == "Enhance")
    picture("error")
    for section in ("input", "enhance", "view"):
        getattr(widget.ui, f"{section}CollapsibleButton").collapsed = True
    picture("segmentation-empty")
    widget.ui.inputSelector.setCurrentNode(add_drawn_cine(30))
    parameters.method = method
    parameters.showUncertainty = False
    parameters.segmentationModel = segmenter
    for button, text in ((widget.ui.enhanceButton, "Enhance"), (widget.ui.segmentButton, "Segment")):
        button.click()
        wait(lambda button=button, text=text: button.text == text)
    print(widget.ui.statusLabel.text)
    picture("segmentation-agreement")
    widget.ui.enhanceCollapsibleButton.collapsed = False
    picture("segmentation-done")
    slicer.app.moduleManager().unload("USEnhance")
    return paths


def main(arguments: list[str]) -> int:
    """Take the pictures and print where they are."""
    if not arguments:
        print(__doc__)
        return 2
    sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "Testing" / "SlicerStandIn")]
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        method = arguments[1] if len(arguments) > 1 else str(make_tiny_model(Path(temporary) / "tiny"))
        segmenter = (
            arguments[2] if len(arguments) > 2 else str(make_tiny_segmenter(Path(temporary) / "outliner"))
        )
        for path in take_pictures(folder, method, segmenter):
            print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
