"""A thread is a function with an argument."""

import threading
import time


def task(name):
    time.sleep(1)
    print(name, "done")


threading.Thread(target=task, args=("foo",)).start()
