"""A watchdog. Read the statement first."""
import os
import signal


def worker():
    # TODO: SIGUSR1 is an order to give a sign of life
    while True:
        signal.pause()


# TODO: the dog's handlers
child = os.fork()
if child == 0:
    worker()
# TODO: the alarm
while True:
    signal.pause()
