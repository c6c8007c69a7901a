# The driver exercise with multiprocessing.
import multiprocessing
import os
import signal
import sys


def conduct(driver):
    def off(*_):
        print("到站了，下车吧", flush=True)
        sys.exit(0)

    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, lambda *_: os.kill(driver, signal.SIGUSR1))
    signal.signal(signal.SIGQUIT, lambda *_: os.kill(driver, signal.SIGUSR2))
    signal.signal(signal.SIGUSR1, off)
    while True:
        signal.pause()


if __name__ == "__main__":
    conductor = multiprocessing.Process(target=conduct, args=(os.getpid(),))
    conductor.start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, lambda *_: print("老司机开车了", flush=True))
    signal.signal(signal.SIGUSR2, lambda *_: print("系好安全带，小心甩出去", flush=True))
    signal.signal(signal.SIGTSTP, lambda *_: os.kill(conductor.pid, signal.SIGUSR1))
    conductor.join()
    print("driver off", flush=True)
