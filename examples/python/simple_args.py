"""Five threads, each with an argument of its own."""

import threading


def worker(number):
    print(f"Worker: {number}\n", end="")


for number in range(5):
    threading.Thread(target=worker, args=(number,)).start()
