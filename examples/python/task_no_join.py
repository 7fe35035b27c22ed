"""The interpreter waits at its end for a thread that nobody joined."""

import threading
import time


def task():
    time.sleep(1)
    print("task done", flush=True)


threading.Thread(target=task).start()
print("program finished", flush=True)
