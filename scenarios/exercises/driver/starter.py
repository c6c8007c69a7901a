"""The driver and the conductor. Read the statement first."""
import os
import signal


def conductor():
    """What the child does."""
    # TODO: the conductor's handlers
    while True:
        signal.pause()


def main():
    # TODO: the driver's handlers
    child = os.fork()
    if child == 0:
        conductor()
    os.waitpid(child, 0)


main()
