"""Ping-pong over two pipes. Read the statement first."""
import os
import signal


def main():
    orders = {signal.SIGUSR1, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, orders)
    # TODO: two pipes and a child
    while signal.sigwait(orders) == signal.SIGUSR1:
        pass  # TODO: send the ball, await it, print it
    # TODO: the end


main()
