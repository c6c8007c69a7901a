"""Reaps children. Read the statement first."""
import os
import signal

N = 3


def worker(i):
    signal.sigwait({signal.SIGUSR1})
    os._exit(i)


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGUSR1})
    for i in range(N):
        if os.fork() == 0:
            worker(i + 1)
    # TODO: reap them


main()
