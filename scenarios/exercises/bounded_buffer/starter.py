"""A bounded buffer. Read the statement first."""
import os
import signal

PLACES = 3
ORDERS = {signal.SIGUSR1, signal.SIGTERM}


def consumer():
    while signal.sigwait(ORDERS) == signal.SIGUSR1:
        pass  # TODO: take an item out, print it
    os._exit(0)


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, ORDERS)
    pid = os.fork()
    if pid == 0:
        consumer()
    while signal.sigwait(ORDERS) == signal.SIGUSR1:
        pass  # TODO: put the next item in, print it
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)


main()
