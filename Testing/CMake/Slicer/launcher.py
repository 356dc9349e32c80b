"""Stand-in for the Slicer executable that CTest starts: it runs the code given with --python-code.

Like Slicer, it puts the additional module paths on Python's path, offers `slicer.testing.runUnitTest`,
and ends with 1 when the code raises. It offers nothing else of Slicer.
"""

from __future__ import annotations

import sys
import types
import unittest


def run_unit_test(paths: list[str], name: str) -> None:
    """Run a test script by its name; like Slicer's own, it has nothing against a run of no tests."""
    sys.path.extend(paths)
    suite = unittest.TestLoader().loadTestsFromName(name)
    if not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful():
        raise RuntimeError(f"the tests of {name} failed")


def main(arguments: list[str]) -> None:
    """Interpret the few arguments that the tests of an extension are started with."""
    code = ""
    while arguments:
        argument = arguments.pop(0)
        if argument == "--additional-module-paths":
            while arguments and not arguments[0].startswith("--"):
                sys.path.append(arguments.pop(0))
        elif argument == "--python-code":
            code = arguments.pop(0)
        elif argument not in ("--no-splash", "--no-main-window"):
            raise SystemExit(f"unknown argument {argument}")
    slicer = types.ModuleType("slicer")
    slicer.testing = types.ModuleType("slicer.testing")
    slicer.testing.runUnitTest = run_unit_test
    sys.modules.update({"slicer": slicer, "slicer.testing": slicer.testing})
    exec(code, {"__name__": "__main__"})


if __name__ == "__main__":
    main(sys.argv[1:])
