"""One child is waited for in each call of the handler."""
import os
import signal

N = 3
left = N


def worker(i):
    signal.sigwait({signal.SIGUSR1})
    os._exit(i)


def reap(*_):
    global left
    pid, status = os.waitpid(-1, 0)
    left -= 1
    os.write(1, b"reaped %d\n" % os.waitstatus_to_exitcode(status))


signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
signal.signal(signal.SIGCHLD, reap)
for n in range(N):
    if os.fork() == 0:
        worker(n + 1)
while left > 0:
    signal.pause()
