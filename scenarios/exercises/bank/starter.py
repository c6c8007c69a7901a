"""Two tellers and an account. Read the statement first."""
import os
import signal

ORDERS = {signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM}


def teller():
    while True:
        order = signal.sigwait(ORDERS)
        if order == signal.SIGTERM:
            os._exit(0)
        # TODO: read, and write back


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, ORDERS)
    # TODO: an account and two tellers
    signal.sigwait({signal.SIGTERM})
    # TODO: the end


main()
