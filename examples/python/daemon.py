"""The interpreter does not wait for a daemon: nobody sees its end."""

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


threading.Thread(name="daemon", target=run_daemon, daemon=True).start()
threading.Thread(name="non-daemon", target=run_non_daemon).start()
