"""Waits for a thread; with the argument `daemon`, leaves a daemon behind."""

import sys
import threading
import time


def task():
    time.sleep(1)
    print("task done", flush=True)


as_daemon = sys.argv[1:] == ["daemon"]
thread = threading.Thread(target=task, daemon=as_daemon)
thread.start()
if not as_daemon:
    thread.join()
print("program finished", flush=True)
