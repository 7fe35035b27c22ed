"""One thread waits for an event for ever, another two seconds at a time."""

import logging
import threading
import time

logging.basicConfig(level=logging.DEBUG, format="(%(threadName)-10s) %(message)s")
e = threading.Event()


def wait_for_event():
    logging.debug("wait_for_event starting")
    logging.debug("event set: %s", e.wait())


def wait_for_event_timeout(seconds):
    while not e.is_set():
        logging.debug("wait_for_event_timeout starting")
        is_set = e.wait(seconds)
        logging.debug("event set: %s", is_set)
        logging.debug("processing event" if is_set else "doing other work")


threading.Thread(name="block", target=wait_for_event).start()
threading.Thread(name="non-block", target=wait_for_event_timeout, args=(2,)).start()
logging.debug("Waiting before calling Event.set()")
time.sleep(3)
e.set()
logging.debug("Event is set")
