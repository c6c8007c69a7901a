"""With multiprocessing; empty handlers in place of SIG_IGN."""
import multiprocessing
import os
import signal


def nothing(*_):
    pass


def say(text):
    print(text, flush=True)


def conductor(driver):
    signal.signal(signal.SIGTSTP, nothing)
    signal.signal(signal.SIGINT, lambda *_: os.kill(driver, signal.SIGUSR1))
    signal.signal(signal.SIGQUIT, lambda *_: os.kill(driver, signal.SIGUSR2))
    arrived = []
    signal.signal(signal.SIGUSR1, lambda *_: arrived.append(True))
    while not arrived:
        signal.sigtimedwait([], 0.05)  # short, so that no signal is missed for long
    say("到站了，下车吧")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, nothing)
    signal.signal(signal.SIGQUIT, nothing)
    signal.signal(signal.SIGUSR1, lambda *_: say("老司机开车了"))
    signal.signal(signal.SIGUSR2, lambda *_: say("系好安全带，小心甩出去"))
    p = multiprocessing.get_context("fork").Process(target=conductor, args=(os.getpid(),))
    signal.signal(signal.SIGTSTP, lambda *_: os.kill(p.pid, signal.SIGUSR1))
    p.start()
    p.join()
