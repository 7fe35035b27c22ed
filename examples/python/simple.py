"""Five threads, each prints a line."""

import threading


def worker():
    print("Worker\n", end="")


for _ in range(5):
    threading.Thread(target=worker).start()
