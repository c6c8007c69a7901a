"""The lines stay in a buffer, and are lost with it."""
import os
import signal
import sys


sys.stdout = open(1, "w", buffering=4096, closefd=False)


def say(text):
    sys.stdout.write(text + "\n")


def conductor():
    """What the child does. It never returns."""
    driver = os.getppid()
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, lambda *_: os.kill(driver, signal.SIGUSR1))
    signal.signal(signal.SIGQUIT, lambda *_: os.kill(driver, signal.SIGUSR2))

    def get_off(*_):
        say("到站了，下车吧")
        os._exit(0)

    signal.signal(signal.SIGUSR1, get_off)
    while True:
        signal.pause()


def main():
    # Before the fork, so that no key comes too early for the driver.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, lambda *_: say("老司机开车了"))
    signal.signal(signal.SIGUSR2, lambda *_: say("系好安全带，小心甩出去"))
    child = 0
    signal.signal(signal.SIGTSTP, lambda *_: os.kill(child, signal.SIGUSR1))
    child = os.fork()
    if child == 0:
        conductor()
    os.waitpid(child, 0)
    os._exit(0)


main()
