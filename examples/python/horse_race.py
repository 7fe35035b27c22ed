"""A barrier lets all horses go at once, when the last of them is ready."""

import random
import threading
import time


def start():
    print("--- RACE STARTED ---", flush=True)  # by the last horse to come, before any runs


gate = threading.Barrier(3, action=start)


class Horse(threading.Thread):

    def after_a_while(self, message):
        time.sleep(random.random())
        print(f"{self.name} {message}\n", end="", flush=True)

    def run(self):
        self.after_a_while("ready...")
        gate.wait()
        self.after_a_while("started")
        self.after_a_while("finished")


# All are started before the first is joined, or they would run one after the other.
horses = [Horse(name=name) for name in ("Alfie", "Daisy", "Unity")]
for horse in horses:
    horse.start()
for horse in horses:
    horse.join()
