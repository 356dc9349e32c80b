"""`slicer.packaging` and `PyTorchUtils` that install nothing and say what they were asked for.

What is installed is found out for real, unless a test names packages in `missing`.
"""

# ruff: noqa: N802, N803 (the names are Slicer's)
from __future__ import annotations

import importlib.metadata
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import slicer
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@dataclass
class Installations:
    """Requests so far, packages that count as not installed, and a failure that installing is to raise."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    failure: Exception | None = None

    def reset(self) -> None:
        """Forget everything."""
        self.requests.clear()
        self.missing.clear()
        self.failure = None

    def add(self, function: str, requirements: Any, **details: Any) -> None:
        """Note a request; what it asks for counts as installed from then on."""
        texts = [str(item) for item in (requirements if isinstance(requirements, list) else [requirements])]
        self.requests.append({"function": function, "requirements": texts, **details})
        if self.failure is not None:
            raise self.failure
        if not function.endswith("uninstall"):
            self.missing -= {canonicalize_name(Requirement(text).name) for text in texts}


installations = Installations()


def _requirements(given: str | Requirement | list[str | Requirement]) -> list[Requirement]:
    items = given if isinstance(given, list) else [given]
    result: list[Requirement] = []
    for item in items:
        if isinstance(item, Requirement):
            result.append(item)
        elif isinstance(item, str):
            result.append(Requirement(item))
        else:
            raise TypeError(f"a requirement is text or a Requirement, not {item!r}")
    return result


def pip_check(req: str | Requirement | list[str | Requirement]) -> bool:
    """Whether the requirements are satisfied."""
    for requirement in _requirements(req):
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        if canonicalize_name(requirement.name) in installations.missing:
            return False
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            return False
        if not requirement.specifier.contains(version, prereleases=True):
            return False
    return True


def pip_ensure(
    requirements: str | Requirement | list[str | Requirement],
    constraints: str | Path | None = None,
    skip_packages: list[str] | None = None,
    prompt_install: bool = True,
    prompt_restart: bool = True,
    requester: str | None = None,
    skip_in_testing: bool = True,
    show_progress: bool = True,
) -> list[str] | None:
    """Ask the user as Slicer does and note the request. Raises RuntimeError when the user declines."""
    absent = [requirement for requirement in _requirements(requirements) if not pip_check(requirement)]
    if not absent or (skip_in_testing and slicer.app.testingEnabled()):
        return None
    if prompt_install and not slicer.util.confirmOkCancelDisplay(
        f"{len(absent)} Python packages need to be installed.", f"{requester} - Install Python Packages"
    ):
        raise RuntimeError("User declined package installation")
    installations.add("pip_ensure", absent, constraints=constraints, requester=requester)
    return None


def pip_install(
    requirements: str | list[str],
    constraints: str | Path | None = None,
    no_deps_requirements: str | list[str] | None = None,
    skip_packages: list[str] | None = None,
    blocking: bool = True,
    show_progress: bool = True,
    requester: str | None = None,
    logCallback: Any = None,
    completedCallback: Any = None,
) -> list[str] | None:
    """Note the request."""
    words = requirements.split() if isinstance(requirements, str) else list(requirements)
    installations.add("pip_install", words, constraints=constraints, requester=requester)
    return None


def pip_uninstall(
    requirements: str | list[str],
    blocking: bool = True,
    logCallback: Any = None,
    completedCallback: Any = None,
) -> None:
    """Note the request."""
    words = requirements.split() if isinstance(requirements, str) else list(requirements)
    installations.add("pip_uninstall", words)


def load_requirements(path: str | Path) -> list[Requirement]:
    """The requirements of a file; comments and options of pip are left out."""
    lines = (line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines())
    return [Requirement(line.split(" #")[0]) for line in lines if line and not line.startswith(("#", "-"))]


class PyTorchUtilsLogic:
    """The part of the PyTorch extension's logic that installs torch."""

    @staticmethod
    def torchInstalled() -> bool:
        """Whether torch is there; Slicer's imports it for that."""
        return pip_check("torch")

    def installTorch(
        self,
        askConfirmation: bool = False,
        forceComputationBackend: str | None = None,
        torchVersionRequirement: str | None = None,
        torchvisionVersionRequirement: str | None = None,
    ) -> types.ModuleType | None:
        """Ask the user as the extension does, note the request, give the module; None when declined."""
        if (
            askConfirmation
            and not slicer.app.testingEnabled()
            and not slicer.util.confirmOkCancelDisplay("PyTorch will be downloaded and installed.")
        ):
            return None
        installations.add(
            "installTorch",
            f"torch{torchVersionRequirement or ''}",
            forceComputationBackend=forceComputationBackend,
        )
        return importlib.import_module("torch")


def make_packaging_module() -> types.ModuleType:
    """The module `slicer.packaging`."""
    module = types.ModuleType("slicer.packaging")
    for function in (pip_check, pip_ensure, pip_install, pip_uninstall, load_requirements):
        setattr(module, function.__name__, function)
    return module


def make_pytorch_module() -> types.ModuleType:
    """The module `PyTorchUtils` of the PyTorch extension."""
    module = types.ModuleType("PyTorchUtils")
    module.PyTorchUtilsLogic = PyTorchUtilsLogic
    return module
