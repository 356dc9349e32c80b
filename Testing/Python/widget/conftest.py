"""Fixtures that let tests click the real panel: Slicer's Python modules over real MRML and PySide6."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
MODULE_FILE = REPOSITORY / "USEnhance" / "USEnhance.py"

sys.path.insert(0, str(REPOSITORY / "Testing" / "SlicerStandIn"))


@pytest.fixture(scope="session")
def slicer_application() -> Iterator[Any]:
    """slicer.app, with `import qt`, `import ctk` and the rest of Slicer's Python modules installed."""
    from standin import installation

    installation.install()
    import slicer

    yield slicer.app
    slicer.app.close()


@pytest.fixture
def scene(slicer_application: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """slicer.mrmlScene without nodes of other tests. What a slot or an observer raises fails the test."""
    import slicer
    from standin import failures, installation

    installation.reset()
    failures.forget()
    monkeypatch.setattr(sys, "excepthook", failures.record_uncaught)
    yield slicer.mrmlScene
    slicer_application.processEvents()
    installation.reset()
    failures.raise_recorded()


@pytest.fixture
def dialogs(scene: Any) -> Any:
    """The dialogs so far (`shown`), and the user's answers to the next ones (`answers`)."""
    from standin.message_dialogs import dialogs as shown_dialogs

    return shown_dialogs


@pytest.fixture
def installations(scene: Any) -> Any:
    """What `slicer.packaging` and `PyTorchUtils` were asked to install, and what counts as missing."""
    from standin.packaging_record import installations as noted

    return noted


@pytest.fixture
def slot_failures(scene: Any) -> Any:
    """The exceptions in slots so far: `recorded()`, and `forget()` for those that a test expects."""
    from standin import failures

    return failures


@pytest.fixture
def module_widget(scene: Any) -> Iterator[Any]:
    """The USEnhanceWidget, loaded and entered as Slicer does, in the main window; unloaded at the end."""
    import slicer

    manager = slicer.app.moduleManager()
    manager.load(MODULE_FILE)
    slicer.util.selectModule("USEnhance")
    slicer.util.mainWindow().show()
    yield slicer.util.getModuleWidget("USEnhance")
    manager.unload("USEnhance")


@pytest.fixture
def process_events(slicer_application: Any) -> Callable[..., None]:
    """process_events(until=condition, timeout=seconds): let Qt run until the condition holds."""
    from standin.application import process_events as run

    def wait(until: Callable[[], Any] | None = None, timeout: float = 10.0) -> None:
        if until is None:
            slicer_application.processEvents()
        else:
            run(slicer_application, until, timeout)

    return wait


@pytest.fixture
def grab() -> Callable[[Any, Any], Path]:
    """grab(widget, path): save a picture of a widget as PNG."""
    from standin.application import grab as save

    return save


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real, very small network: a second for a hundred small frames."""
    import torch

    from USEnhanceLib.models import save_model
    from USEnhanceLib.networks.scunet import SCUNet

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    network = SCUNet(dim=16, config=[1] * 7, head_dim=8)
    save_model(folder, network, name="tiny", version="1.0", card="# For tests\n", licence="Apache-2.0\n")
    return folder


class Panel:
    """The panel as its user sees it: choose, click, wait."""

    def __init__(self, widget: Any, process_events: Callable[..., None]) -> None:
        self.widget = widget
        self.ui = widget.ui
        self.parameters = widget.logic.getParameterNode()
        self._process_events = process_events

    @property
    def text(self) -> str:
        """What the status line says."""
        return self.ui.statusLabel.text

    @property
    def worker(self) -> int:
        """The number of the worker process; 0 without one."""
        return self.widget.logic.background.process.pid

    def choose(self, node: Any) -> None:
        """Choose an input."""
        self.ui.inputSelector.setCurrentNode(node)
        assert self.ui.inputSelector.currentNode() is node

    def click(self) -> None:
        """Click Enhance, or Cancel."""
        self.ui.enhanceButton.click()

    def wait(self, until: Callable[[], Any], timeout: float = 60.0) -> None:
        """Let Slicer run until something holds."""
        self._process_events(until=until, timeout=timeout)

    def wait_for_frames(self, count: int) -> None:
        """Wait until some frames are done; the work must not be over by then."""
        self.wait(lambda: self.ui.progressBar.value >= count or not self.working)
        assert self.working, self.text

    def wait_for_end(self) -> str:
        """Wait until the work is over and return what the status line says."""
        self.wait(lambda: not self.working)
        assert self.ui.enhanceButton.text == "Enhance"
        return self.text

    @property
    def working(self) -> bool:
        """Whether the button cancels."""
        return self.ui.enhanceButton.text == "Cancel"


@pytest.fixture
def panel(module_widget: Any, process_events: Callable[..., None], tiny_model: Path) -> Panel:
    """The panel with the tiny network chosen as method."""
    made = Panel(module_widget, process_events)
    made.parameters.method = str(tiny_model)
    return made


@pytest.fixture
def speckle(scene: Any) -> Callable[..., Any]:
    """speckle(frames, rows, columns): adds a volume of speckled frames, the same ones each time."""
    import numpy as np
    import slicer

    def add(frames: int = 3, rows: int = 48, columns: int = 64, name: str = "Speckle") -> Any:
        pixels = np.random.default_rng(3).rayleigh(60, (frames, rows, columns)).clip(5, 250).astype(np.uint8)
        volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        slicer.util.updateVolumeFromArray(volume, pixels)
        volume.SetSpacing(0.4, 0.3, 1.0)
        volume.CreateDefaultDisplayNodes()
        return volume

    return add
