"""Joins a daemon that sleeps two seconds, but waits no longer than one."""

import logging
import threading
import time

logging.basicConfig(level=logging.DEBUG, format="(%(threadName)-10s) %(message)s")
daemon_runs = threading.Event()


def run_daemon():
    logging.debug("Starting")
    daemon_runs.set()
    time.sleep(2)
    logging.debug("Exiting")


def run_non_daemon():
    daemon_runs.wait()  # else either might log first
    logging.debug("Starting")
    logging.debug("Exiting")


d = threading.Thread(name="daemon", target=run_daemon, daemon=True)
t = threading.Thread(name="non-daemon", target=run_non_daemon)
d.start()
t.start()
d.join(1)
print("d.isAlive()", d.is_alive())
t.join()
