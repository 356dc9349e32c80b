"""What the enhancement needs besides what Slicer brings, installed at the first use and only when asked.

PyTorch comes through the PyTorch extension, which picks the build for the computer's graphics card; the
rest through `slicer.packaging`, or `slicer.util.pip_install` before Slicer 5.12. Without a connection,
pip's own settings serve: start Slicer with PIP_NO_INDEX=1 and PIP_FIND_LINKS=<folder of wheels>; behind a
proxy, with HTTPS_PROXY=<address>.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import logging
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import slicer

from ..errors import DependencyError

TORCH = ">=2.4"
SIZE = "200 MB without a graphics card, up to 3 GB with one from NVIDIA"
_CHECK_SECONDS = 180
_OFFLINE = (
    "check the connection, or start Slicer with PIP_NO_INDEX=1 and PIP_FIND_LINKS set to a folder of wheels"
)


def python_program() -> str:
    """Return the program that runs Python with Slicer's packages, outside of Slicer's own process."""
    return shutil.which("PythonSlicer") or sys.executable


def missing_packages(requirements: Path) -> list[str]:
    """Return the names of the packages that are not installed: torch, and those in the file `requirements`.

    Looks them up without importing any. Names in the file must be those that Python imports.
    """
    return [name for name in ("torch", *_names(requirements)) if not _is_installed(name)]


def ensure_dependencies(requirements: Path) -> None:
    """Install what is missing after the user agreed; return at once when nothing is.

    requirements: a pip requirements file without torch. Raises DependencyError when the user declines,
    in Slicer's testing mode (which must not change the installation), or when it fails.
    """
    missing = missing_packages(requirements)
    if not missing:
        return
    names = " and ".join("PyTorch" if name == "torch" else name for name in missing)
    if slicer.app.testingEnabled():
        raise DependencyError(f"{names} is not installed, and nothing is installed in testing mode.")
    if not slicer.util.confirmOkCancelDisplay(_question(names, "torch" in missing), "USEnhance"):
        raise DependencyError(f"{names} is needed but was not installed: click Enhance again to install it.")
    try:
        if "torch" in missing:
            _install_torch()
        _install_others(requirements)
    except DependencyError:
        raise
    except Exception as error:  # pip, its process and the network fail in many ways
        logging.exception("The installation of packages for USEnhance failed")
        raise DependencyError(f"{names} could not be installed: {_OFFLINE}.") from error
    check_torch()


def check_torch() -> None:
    """Raise DependencyError unless torch can be imported, tried in another process.

    A broken installation may end the process that imports it.
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
            "Slicer and click Enhance again."
        )


def _question(names: str, needs_torch: bool) -> str:
    size = SIZE if needs_torch else "less than 5 MB"
    return (
        f"Enhancing images needs {names}, to be downloaded once and installed in this Slicer ({size}). "
        "This takes some minutes, during which Slicer does not respond.\n\nInstall now?"
    )


def _names(requirements: Path) -> list[str]:
    names = []
    for line in requirements.read_text(encoding="utf-8").splitlines():
        requirement = line.split("#")[0].strip()
        if requirement:
            end = next((i for i, c in enumerate(requirement) if not (c.isalnum() or c in "-_.")), None)
            names.append(requirement[:end])
    return names


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ValueError:  # a module without a specification, such as one that failed halfway
        return False


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


def _install_others(requirements: Path) -> None:
    """Install the packages in the file, holding torch: another version may not fit the computer."""
    importlib.invalidate_caches()
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text(f"torch=={importlib.metadata.version('torch')}\n", encoding="utf-8")
        try:
            import slicer.packaging as packaging
        except ImportError:
            slicer.util.pip_install(["-r", str(requirements), "-c", str(constraints)])
            return
        packaging.pip_ensure(
            packaging.load_requirements(requirements),
            constraints=constraints,
            prompt_install=False,
            requester="USEnhance",
        )
