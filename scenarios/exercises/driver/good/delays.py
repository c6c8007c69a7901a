"""Slow everywhere, and right all the same."""
import os
import signal
import time

time.sleep(0.2)


def say(text):
    time.sleep(0.1)
    os.write(1, (text + "\n").encode())


def conductor():
    driver = os.getppid()

    def forward(s):
        time.sleep(0.1)
        os.kill(driver, s)

    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, lambda *_: forward(signal.SIGUSR1))
    signal.signal(signal.SIGQUIT, lambda *_: forward(signal.SIGUSR2))
    signal.signal(signal.SIGUSR1, lambda *_: (say("到站了，下车吧"), time.sleep(0.1), os._exit(0)))
    while True:
        signal.pause()


for s in signal.SIGINT, signal.SIGQUIT:
    signal.signal(s, signal.SIG_IGN)
signal.signal(signal.SIGUSR1, lambda *_: say("老司机开车了"))
signal.signal(signal.SIGUSR2, lambda *_: say("系好安全带，小心甩出去"))
signal.signal(signal.SIGTSTP, lambda *_: os.kill(child, signal.SIGUSR1))
child = os.fork()
if child == 0:
    time.sleep(0.2)
    conductor()
os.wait()
time.sleep(0.2)
say("driver off")
