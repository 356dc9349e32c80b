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
