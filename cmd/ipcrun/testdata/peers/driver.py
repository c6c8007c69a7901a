"""The driver and the conductor as a course solution writes them, with
multiprocessing, and a terminal on which the three keys are pressed: the same
exchange as scenarios/driver.yaml, for comparing whole-process times."""
import os
import pty
import signal
import termios
from multiprocessing import Process


def say(line):
    os.write(1, (line + "\n").encode())


def conductor(driver):
    def off(*_):
        say("到站了，下车吧")
        os._exit(0)

    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, lambda *_: os.kill(driver, signal.SIGUSR1))
    signal.signal(signal.SIGQUIT, lambda *_: os.kill(driver, signal.SIGUSR2))
    signal.signal(signal.SIGUSR1, off)
    say("ready")
    while True:
        signal.pause()


def driver():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, lambda *_: say("老司机开车了"))
    signal.signal(signal.SIGUSR2, lambda *_: say("系好安全带，小心甩出去"))
    child = Process(target=conductor, args=(os.getpid(),))
    child.start()
    signal.signal(signal.SIGTSTP, lambda *_: os.kill(child.pid, signal.SIGUSR1))
    child.join()
    say("driver off")


def main():
    pid, terminal = pty.fork()
    if pid == 0:
        # The session leader stays outside the foreground group, as a shell does.
        worker = os.fork()
        if worker == 0:
            os.setpgid(0, 0)
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            os.tcsetpgrp(0, os.getpid())
            driver()
            os._exit(0)
        os.waitpid(worker, 0)
        os._exit(0)
    mode = termios.tcgetattr(terminal)
    mode[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, mode)
    seen = b""

    def expect(text):
        nonlocal seen
        while text.encode() not in seen:
            seen += os.read(terminal, 4096)

    expect("ready")
    os.write(terminal, b"\x03")
    expect("老司机开车了")
    os.write(terminal, b"\x1c")
    expect("系好安全带，小心甩出去")
    os.write(terminal, b"\x1a")
    expect("到站了，下车吧")
    expect("driver off")
    assert os.waitpid(pid, 0)[1] == 0


main()
