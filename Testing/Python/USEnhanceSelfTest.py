"""The tests that CTest runs inside Slicer: those of the module itself, and never none of them."""

from __future__ import annotations

import unittest

from USEnhance import USEnhanceTest


def load_tests(
    loader: unittest.TestLoader, tests: unittest.TestSuite, pattern: str | None
) -> unittest.TestSuite:
    """Collect the test methods of the module's own test class.

    The class inherits `runTest`, which unittest falls back to when there is no test method and which then
    passes without having tested anything: that is an error here.
    """
    names = [name for name in loader.getTestCaseNames(USEnhanceTest) if name.startswith("test")]
    if not names:
        raise AssertionError("USEnhanceTest has no test methods: the self-test would pass without testing.")
    return unittest.TestSuite(USEnhanceTest(name) for name in names)
