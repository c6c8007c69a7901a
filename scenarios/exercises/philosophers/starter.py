"""Three philosophers. Read the statement first."""
import os
import signal

N = 3
ORDERS = {signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM}


def philosopher(i):
    while signal.sigwait({signal.SIGUSR1, signal.SIGTERM}) == signal.SIGUSR1:
        pass  # TODO: one fork, SIGUSR2, the other fork, eat
    os._exit(0)


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, ORDERS)
    # TODO: forks and philosophers
    signal.sigwait({signal.SIGTERM})
    # TODO: the end


main()
