"""What a method or segmentation needs besides what Slicer brings: installed at first use, when asked for.

Networks need PyTorch and safetensors; of the classical filters most need nothing, and a few a package each.
PyTorch comes through the PyTorch extension, which picks the build for the computer's graphics card; the
rest through `slicer.packaging`, or `slicer.util.pip_install` before Slicer 5.12. Without a connection,
pip's own settings serve: start Slicer with PIP_NO_INDEX=1 and PIP_FIND_LINKS=<folder of wheels>; behind a
proxy, with HTTPS_PROXY=<address>.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import logging
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import slicer

from ..enhancement import missing_packages, packages_of
from ..errors import DependencyError
from ..segmentation.loading import missing_segmentation_packages, segmentation_packages

TORCH = ">=2.4"
SIZE = "200 MB without a graphics card, up to 3 GB with one from NVIDIA"
SMALL_SIZE = "less than 50 MB"
_BROUGHT_BY_SLICER = ("numpy", "scipy", "SimpleITK")
_CHECK_SECONDS = 180
_OFFLINE = (
    "check the connection, or start Slicer with PIP_NO_INDEX=1 and PIP_FIND_LINKS set to a folder of wheels"
)


def python_program() -> str:
    """Return the program that runs Python with Slicer's packages, outside of Slicer's own process."""
    return shutil.which("PythonSlicer") or sys.executable


def ensure_dependencies(requirements: Path, method: str = "scunet") -> None:
    """Install what a method lacks after the user agreed; return at once when that is nothing.

    requirements: a pip requirements file without torch, of which the lines are used that are needed. Raises
    DependencyError when a package is not in it (because of its licence), when the user declines, in Slicer's
    testing mode (which must not change the installation), or when it fails; errors of `missing_packages`.
    """
    _ensure(requirements, missing_packages(method), packages_of(method), f"the method {method}", "Enhance")


def ensure_segmentation_dependencies(requirements: Path) -> None:
    """Install what outlining structures lacks, as `ensure_dependencies` does for a method."""
    _ensure(requirements, missing_segmentation_packages(), segmentation_packages(), "segmentation", "Segment")


def _ensure(
    requirements: Path, missing: Sequence[str], packages: Sequence[str], purpose: str, button: str
) -> None:
    if not missing:
        return
    names = " and ".join("PyTorch" if name == "torch" else name for name in missing)
    for name in set(missing) - {"torch", *(name for name, _ in _lines(requirements))}:
        raise DependencyError(
            f"{name} is needed for {purpose}, but its licence forbids commercial use: install it "
            f"with slicer.util.pip_install('{name}') in the Python console, or choose another method."
        )
    if slicer.app.testingEnabled():
        raise DependencyError(f"{names} is not installed, and nothing is installed in testing mode.")
    if not slicer.util.confirmOkCancelDisplay(_question(names, "torch" in missing), "USEnhance"):
        raise DependencyError(f"{names} is needed but was not installed: click {button} again to install it.")
    try:
        if "torch" in missing:
            _install_torch()
        _install_others(requirements, set(missing) - {"torch"})
    except DependencyError:
        raise
    except Exception as error:  # pip, its process and the network fail in many ways
        logging.exception("The installation of packages for USEnhance failed")
        raise DependencyError(f"{names} could not be installed: {_OFFLINE}.") from error
    if "torch" in packages:
        check_torch(button)


def check_torch(button: str = "Enhance") -> None:
    """Raise DependencyError unless torch can be imported, tried in another process.

    A broken installation may end the process that imports it. `button`: what is to be clicked again then.
    """
    command = [python_program(), "-c", "import torch; torch.zeros(1).sum().item()"]
    try:
        answer = subprocess.run(command, capture_output=True, timeout=_CHECK_SECONDS, check=False)
        works = answer.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        works = False
    if not works:
        raise DependencyError(
            "PyTorch is installed but does not start: uninstall it in the module PyTorch Utils, restart "
            f"Slicer and click {button} again."
        )


def _question(names: str, needs_torch: bool) -> str:
    size = SIZE if needs_torch else SMALL_SIZE
    return (
        f"This needs {names}, to be downloaded once and installed in this Slicer ({size}). "
        "This takes some minutes, during which Slicer does not respond.\n\nInstall now?"
    )


def _lines(requirements: Path) -> Iterator[tuple[str, str]]:
    """Yield the name in each requirement of a file, and the requirement."""
    for line in requirements.read_text(encoding="utf-8").splitlines():
        requirement = line.split("#")[0].strip()
        if requirement:
            end = next((i for i, c in enumerate(requirement) if not (c.isalnum() or c in "-_.")), None)
            yield requirement[:end], requirement


def _install_torch() -> None:
    try:
        import PyTorchUtils
    except ImportError:
        # Without the extension pip takes its default build, which works but may be larger than needed.
        slicer.util.pip_install(f"torch{TORCH}")
        return
    logic = PyTorchUtils.PyTorchUtilsLogic()
    if logic.installTorch(askConfirmation=False, torchVersionRequirement=TORCH) is None:
        raise DependencyError("PyTorch was not installed: install it in the module PyTorch Utils.")


def _install_others(requirements: Path, names: set[str]) -> None:
    """Install these packages of the file, holding torch and what Slicer brings at the versions there are."""
    importlib.invalidate_caches()
    if not names:
        return
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("".join(_pins("torch", *_BROUGHT_BY_SLICER)), encoding="utf-8")
        try:
            import slicer.packaging as packaging
        except ImportError:
            lines = [line for name, line in _lines(requirements) if name in names]
            slicer.util.pip_install([*lines, "-c", str(constraints)])
            return
        packaging.pip_ensure(
            [entry for entry in packaging.load_requirements(requirements) if entry.name in names],
            constraints=constraints,
            prompt_install=False,
            requester="USEnhance",
        )


def _pins(*names: str) -> Iterator[str]:
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            yield f"{name}=={importlib.metadata.version(name)}\n"
