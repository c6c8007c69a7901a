"""The dog exits 0."""
import os
import signal


def say(text):
    os.write(1, (text + "\n").encode())


def worker():
    dog = os.getppid()
    signal.signal(signal.SIGUSR1, lambda *_: os.kill(dog, signal.SIGUSR1))
    while True:
        signal.pause()


def alive(*_):
    signal.alarm(5)  # in place of the one before
    say("alive")


def late(*_):
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    say("killed")
    os._exit(0)


# Before the fork, so that no sign of life comes too early.
signal.signal(signal.SIGUSR1, alive)
signal.signal(signal.SIGALRM, late)
child = os.fork()
if child == 0:
    worker()
signal.alarm(5)
while True:
    signal.pause()
