"""There are two philosophers."""
import multiprocessing
import os
import signal

N = 3
ORDERS = {signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM}

forks = [multiprocessing.Lock() for _ in range(N)]


def say(text):
    os.write(1, (text + "\n").encode())


def philosopher(i):
    first, second = sorted((i, (i + 1) % N))
    while signal.sigwait({signal.SIGUSR1, signal.SIGTERM}) == signal.SIGUSR1:
        forks[first].acquire()
        say("has a fork")
        signal.sigwait({signal.SIGUSR2})
        forks[second].acquire()
        say("eats")
        signal.sigwait({signal.SIGUSR1})
        say("thinks")
        forks[first].release()
        forks[second].release()
    os._exit(0)


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, ORDERS)
    pids = []
    for i in range(N - 1):
        pid = os.fork()
        if pid == 0:
            philosopher(i)
        pids.append(pid)
    signal.sigwait({signal.SIGTERM})
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    for pid in pids:
        os.waitpid(pid, 0)


main()
