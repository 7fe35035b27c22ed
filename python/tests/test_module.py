"""The module: names, arrival, reprs."""

import unittest

import cthreading


class Names(unittest.TestCase):

    def test_all_there(self):
        import threading
        self.assertEqual(set(threading.__all__), set(cthreading.__all__))


if __name__ == "__main__":
    unittest.main()
