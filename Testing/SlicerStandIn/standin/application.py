"""`slicer.app`: the application object, with the names that Slicer's has and no others."""

# ruff: noqa: N802, N815 (the names are Slicer's)
from __future__ import annotations

import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import slicer
from PySide6 import QtCore, QtGui, QtWidgets

from . import slicer_api
from .attribute_rules import SlotFunction
from .message_dialogs import dialogs
from .module_registry import ModuleManager
from .node_files import CoreIOManager, share_folder
from .scene import SlicerScene
from .settings import Settings
from .slice_views import LayoutManager
from .wrapping import hidden, wrap

LONGEST_STEP_MS = 20


class CommandOptions:
    """slicer.app.commandOptions(): properties of the command line."""

    def __init__(self, application: Application) -> None:
        self._application = application

    @property
    def testingEnabled(self) -> bool:
        """Whether Slicer was started with --testing."""
        return self._application.testingEnabled()

    @property
    def noMainWindow(self) -> bool:
        """Whether Slicer was started with --no-main-window."""
        return False


class MainWindow(QtWidgets.QMainWindow):
    """The main window: slice views in the middle, the module's panel at the left."""

    SLICER_CLASS = "qSlicerMainWindow"

    def __init__(self, modules: ModuleManager) -> None:
        super().__init__()
        self.setObjectName("qSlicerMainWindow")
        self._modules = modules
        self._selector = ModuleSelector(modules, self)

    def moduleSelector(self) -> ModuleSelector:
        """The menu of modules."""
        return self._selector

    def show_panel(self, panel: QtWidgets.QWidget) -> None:
        """Put a module's panel into the window."""
        self.takeCentralWidget()
        self.setCentralWidget(panel)


class ModuleSelector:
    """slicer.util.moduleSelector()."""

    def __init__(self, modules: ModuleManager, window: MainWindow) -> None:
        self._modules = modules
        self._window = window

    @property
    def selectedModule(self) -> str:
        """The name of the shown module."""
        return self._modules.selected

    def selectModule(self, name: str) -> None:
        """Show a module."""
        self._window.show_panel(hidden(self._modules.select(name)))


class Application:
    """slicer.app. What only Slicer's has raises NotImplementedError, what it lacks too AttributeError.

    `testing` says what testingEnabled() answers: Slicer's own tests run with it, users without.
    """

    applicationName = "Slicer"
    majorVersion = 5
    minorVersion = 13
    revision = "stand-in"
    os = platform.system().lower()

    def __init__(self, slicer_scene: SlicerScene) -> None:
        self._qt = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["Slicer"])
        self._scene = slicer_scene
        self._testing = False
        self._modules = ModuleManager()
        self._layouts = LayoutManager(slicer_scene, wrap)
        self._files = CoreIOManager(slicer_scene)
        self._window = MainWindow(self._modules)
        self._settings = Settings()
        self._temporary = tempfile.TemporaryDirectory(prefix="slicer-stand-in-")
        self._paused = 0

    def __getattr__(self, name: str) -> Any:
        if name not in slicer_api.names("slicer_app"):
            raise AttributeError(f"slicer.app has no attribute '{name}' in Slicer")
        found = getattr(self._qt, name, None)
        if found is None:
            raise NotImplementedError(f"slicer.app.{name} exists in Slicer, but not in the stand-in")
        return SlotFunction(found, f"slicer.app.{name}")

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            raise AttributeError(f"slicer.app.{name} cannot be set")
        object.__setattr__(self, name, value)

    # The stand-in's own

    def set_testing(self, testing: bool) -> None:
        """Choose what testingEnabled() answers."""
        self._testing = testing

    def close(self) -> None:
        """Delete the windows, before Qt goes."""
        self._window.deleteLater()
        self._qt.processEvents()
        self._temporary.cleanup()

    # Slicer's

    def processEvents(self) -> None:
        """Let Qt work off what waits, deletions included."""
        self._qt.processEvents(QtCore.QEventLoop.ProcessEventsFlag.AllEvents, LONGEST_STEP_MS)
        self._qt.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)

    def testingEnabled(self) -> bool:
        """Whether Slicer was started with --testing."""
        return self._testing

    def commandOptions(self) -> CommandOptions:
        """The command line."""
        return CommandOptions(self)

    def mrmlScene(self) -> Any:
        """The scene."""
        return self._scene.scene

    def applicationLogic(self) -> Any:
        """The vtkSlicerApplicationLogic."""
        return self._scene.application_logic

    def moduleLogic(self, name: str) -> Any:
        """The C++ logic of a core module, or None."""
        return self._scene.logics.get(name)

    def moduleManager(self) -> ModuleManager:
        """Knows the modules."""
        return self._modules

    def layoutManager(self) -> LayoutManager:
        """Knows the views."""
        return self._layouts

    def coreIOManager(self) -> CoreIOManager:
        """Loads and saves."""
        return self._files

    def ioManager(self) -> CoreIOManager:
        """Loads and saves."""
        return self._files

    def settings(self) -> Any:
        """The settings, in a temporary file."""
        return wrap(self._settings)

    def userSettings(self) -> Any:
        """The settings, in a temporary file."""
        return wrap(self._settings)

    def topLevelWidgets(self) -> list[Any]:
        """The windows."""
        return [wrap(widget) for widget in self._qt.topLevelWidgets()]

    def startupEnvironment(self) -> Any:
        """The environment that Slicer was started in."""
        return wrap(QtCore.QProcessEnvironment.systemEnvironment())

    def translate(self, context: str, text: str) -> str:
        """The text, in English."""
        return text

    def pauseRender(self) -> None:
        """Hold back the views."""
        self._paused += 1

    def resumeRender(self) -> None:
        """Let the views go on. Raises RuntimeError when they were not held back."""
        if self._paused == 0:
            raise RuntimeError("resumeRender without pauseRender")
        self._paused -= 1

    def restart(self) -> None:
        """Noted as a dialog, since a test cannot restart."""
        raise AssertionError("the application was told to restart")

    def setOverrideCursor(self, cursor: int) -> None:
        """Change the cursor."""
        self._qt.setOverrideCursor(QtGui.QCursor(QtCore.Qt.CursorShape(cursor)))

    def restoreOverrideCursor(self) -> None:
        """Undo setOverrideCursor."""
        self._qt.restoreOverrideCursor()

    @property
    def temporaryPath(self) -> str:
        """A folder for temporary files."""
        return self._temporary.name

    @property
    def slicerHome(self) -> str:
        """Where the application lies."""
        return share_folder()

    @property
    def applicationVersion(self) -> str:
        """The version of Slicer that the facts come from."""
        return "5.13.0"


def process_events(application: Application, until: Any, timeout: float) -> None:
    """Let Qt run until the condition holds. Raises TimeoutError after so many seconds."""
    end = time.monotonic() + timeout
    while not until():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {timeout} s; dialogs: {dialogs.texts()}")
        application.processEvents()
        time.sleep(0.002)


def grab(widget: Any, path: os.PathLike[str] | str) -> Path:
    """Save a picture of a widget as PNG and return its path."""
    target = Path(path)
    qt_widget = hidden(widget) if hasattr(type(widget), "hidden_class") else widget
    target.parent.mkdir(parents=True, exist_ok=True)
    if not qt_widget.grab().save(str(target)):
        raise OSError(f"{target} could not be written")
    return target


def is_installed() -> bool:
    """Whether slicer.app is a stand-in already."""
    return isinstance(getattr(slicer, "app", None), Application)
