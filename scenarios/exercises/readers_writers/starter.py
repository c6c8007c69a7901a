"""Readers and a writer. Read the statement first."""
import os
import signal

ORDERS = {signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM}


def serve():
    while signal.sigwait(ORDERS) != signal.SIGTERM:
        pass  # TODO: come in, go out


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, ORDERS)
    # TODO: two readers
    serve()
    # TODO: the end


main()
