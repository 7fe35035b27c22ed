"""An event tells a thread that a line was read, another tells it to end.

An event is a flag, not a count: two sets before the handler looks would be one. So a third event says that a line has been
handled, and the reader waits for it before it reads the next.
"""

import sys
import threading

key_pressed = threading.Event()
finished = threading.Event()
handled = threading.Event()


def on_key_press():
    while not finished.is_set():
        if key_pressed.wait(0.1):
            print("key pressed", flush=True)
            key_pressed.clear()
            handled.set()  # the last thing: now the reader may set key_pressed again
    print("done", flush=True)


threading.Thread(target=on_key_press).start()
for _ in range(3):
    if not sys.stdin.readline():
        break
    key_pressed.set()
    handled.wait()
    handled.clear()
finished.set()
