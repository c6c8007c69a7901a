"""Nobody is forked: the driver does it all."""
import os
import signal


def say(text):
    # In a handler: print could be in the middle of something itself.
    os.write(1, (text + "\n").encode())


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
    while True:
        signal.pause()


main()
