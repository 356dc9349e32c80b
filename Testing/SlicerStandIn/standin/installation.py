"""Make `import qt`, `import ctk`, `slicer.app` and the rest of Slicer's Python modules work.

from standin import installation

slicer_scene = installation.install()        # once in a process, before USEnhance.py is imported
"""

from __future__ import annotations

import os
import sys
import types
from dataclasses import replace
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import slicer
import slicer.util

from . import ctk_widgets, mrml_widgets, qt_module, slicer_api, ui_loader
from .immortal import keep_singletons
from .module_registry import ModuleWidget, ScriptedModule
from .process import end_leftovers
from .scene import SlicerScene, shared_scene
from .slice_views import SliceWidget

_installed: list[SlicerScene] = []


class CtkModule(types.ModuleType):
    """`import ctk`: a class that Slicer has and the stand-in lacks is told from one that does not exist."""

    def __getattr__(self, name: str) -> Any:
        if name in slicer_api.names("ctk"):
            raise NotImplementedError(f"ctk.{name} exists in Slicer, but not in the stand-in")
        raise AttributeError(f"module 'ctk' has no attribute '{name}' in Slicer")


def install() -> SlicerScene:
    """Install the stand-ins into this process and return the scene; a second call returns the same one."""
    if _installed:
        return _installed[0]
    keep_singletons()
    sys.modules["qt"] = qt_module.make_qt_module()
    ctk = CtkModule("ctk")
    sys.modules["ctk"] = ctk
    _install_widgets("ctk", ctk, {**ctk_widgets.IMPLEMENTATIONS})
    _install_widgets("slicer", slicer, {**mrml_widgets.IMPLEMENTATIONS, "qMRMLSliceWidget": SliceWidget})
    from .application import Application, MainWindow

    slicer.qSlicerScriptedLoadableModuleWidget = _register_extended(
        ModuleWidget,
        slicer.qSlicerWidget,
        {"self", "reload", "enter", "exit", "setup", "mrmlScene"},
        {"moduleName": "QString (read only)", "isEntered": "bool (read only)"},
    )
    _register_extended(MainWindow, qt_module.qt_class("QMainWindow"), {"moduleSelector"}, {})
    slicer_scene = shared_scene()
    slicer.qSlicerScriptedLoadableModule = ScriptedModule
    slicer.app = Application(slicer_scene)
    _install_python_modules()
    _installed.append(slicer_scene)
    return slicer_scene


def _install_widgets(module_name: str, module: types.ModuleType, implementations: dict[str, type]) -> None:
    for name, implementation in implementations.items():
        facts = slicer_api.class_facts(f"{module_name}.{name}")
        if facts is None:
            raise LookupError(f"no facts about {module_name}.{name} are stored")
        base = qt_module.wrapper_class_of(implementation.__mro__[1])
        wrapper_class = qt_module.make_wrapper_class(name, module_name, implementation, base, facts)
        qt_module.register_custom_class(implementation, wrapper_class)
        setattr(module, name, wrapper_class)
        ui_loader.register_custom_widget(name, implementation)


def _register_extended(implementation: type, base: type, more: set[str], properties: dict[str, str]) -> type:
    """The wrapper class of a class that the record lacks: a recorded base and some names of its own."""
    extended = replace(
        base.facts,
        name=f"slicer.{implementation.SLICER_CLASS}",
        attributes=base.facts.attributes | more,
        properties={**base.facts.properties, **properties},
    )
    wrapper_class = qt_module.make_wrapper_class(
        implementation.SLICER_CLASS, "slicer", implementation, base, extended
    )
    qt_module.register_custom_class(implementation, wrapper_class)
    return wrapper_class


def _install_python_modules() -> None:
    from . import packaging_record, parameter_node, scripted_module, translation

    made = {
        "ScriptedLoadableModule": scripted_module.make_module(),
        "i18n": translation.make_module(),
        "packaging": packaging_record.make_packaging_module(),
        "parameterNodeWrapper": parameter_node.make_module(),
    }
    for name, module in made.items():
        sys.modules[f"slicer.{name}"] = module
        setattr(slicer, name, module)
    sys.modules["PyTorchUtils"] = packaging_record.make_pytorch_module()


def reset() -> None:
    """Between tests: unload modules, close the scene, forget dialogs, requests to install and settings.

    A process that still runs is killed and counts as a failure of the test.
    """
    from .message_dialogs import dialogs
    from .packaging_record import installations

    manager = slicer.app.moduleManager()
    for name in manager.modulesNames():
        manager.unload(name)
    slicer_scene = _installed[0]
    slicer_scene.install()
    slicer_scene.clear()
    slicer.app.set_testing(False)
    slicer.app.settings().clear()
    dialogs.reset()
    installations.reset()
    slicer.app.processEvents()
    end_leftovers()
