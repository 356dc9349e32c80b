"""Bring the file lists of the extension's CMake files up to date with the disk.

Slicer packages only the files that are listed, and explicit lists are what its reviewers expect; this
keeps them right. Run it as `make lists` after adding, renaming or removing a file.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_SHIPPED = {"CMakeLists.txt", "__pycache__", "Testing", ".DS_Store"}


def files_below(folder: Path) -> list[Path]:
    """Return the files of a folder that belong to the package, relative to it, in a stable order."""
    relative = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted((path for path in relative if not NOT_SHIPPED & set(path.parts)), key=Path.as_posix)


def lists() -> dict[Path, dict[str, list[Path]]]:
    """Return what every CMake file has to list, by the name of the list."""
    contents: dict[Path, dict[str, list[Path]]] = {}
    for module in ("USEnhance", "USEnhanceLib"):
        files = files_below(ROOT / module)
        contents[ROOT / module / "CMakeLists.txt"] = {
            "MODULE_PYTHON_SCRIPTS": [path for path in files if path.suffix == ".py"],
            "MODULE_PYTHON_RESOURCES": [path for path in files if path.suffix != ".py"],
        }
    models = [Path("Models") / path for path in files_below(ROOT / "Resources" / "Models")]
    contents[ROOT / "Resources" / "CMakeLists.txt"] = {"MODEL_FILES": models}
    return contents


def with_list(text: str, name: str, files: list[Path]) -> str:
    """Return the text of a CMake file with one of its lists replaced."""
    entries = "".join(f"\n  {path.as_posix()}" for path in files)
    text, count = re.subn(rf"set\({name}\b[^)]*\)", lambda _: f"set({name}{entries}\n  )", text)
    if count != 1:
        raise SystemExit(f"expected one list {name}, found {count}")
    return text


def main() -> int:
    """Rewrite the lists and say which files changed."""
    for cmake_file, named in lists().items():
        before = cmake_file.read_text(encoding="utf-8")
        after = before
        for name, files in named.items():
            after = with_list(after, name, files)
        if after != before:
            cmake_file.write_text(after, encoding="utf-8", newline="\n")
            print(f"updated {cmake_file.relative_to(ROOT).as_posix()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
