"""Runs our own tests of the package, test_*.py in this folder, each a unittest."""

import os
import sys
import unittest

sys.path.insert(0, os.environ["THR_PYTHON_BUILD"])

if __name__ == "__main__":
    tests = unittest.defaultTestLoader.discover(os.path.dirname(os.path.abspath(__file__)), "test_*.py")
    result = unittest.TextTestRunner(verbosity=2 if "-v" in sys.argv else 1).run(tests)
    sys.exit(not result.wasSuccessful() or result.testsRun == 0)
