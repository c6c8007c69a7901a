"""Each child is told of twice."""
import os
import signal

N = 3


def worker(i):
    signal.sigwait({signal.SIGUSR1})
    os._exit(i)


def main():
    # Blocked, so that none comes between the question who has ended and the wait.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGUSR1})
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for i in range(N):
        if os.fork() == 0:
            worker(i + 1)
    left = N
    while left > 0:
        signal.sigwait({signal.SIGCHLD})
        # One SIGCHLD may stand for several children.
        while left > 0:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            left -= 1
            os.write(1, b"reaped %d\n" % os.waitstatus_to_exitcode(status) * 2)


main()
