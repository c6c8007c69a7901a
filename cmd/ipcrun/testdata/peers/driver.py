"""The driver and the conductor as a course solution writes them, with
multiprocessing, and a terminal on which the three keys are pressed: the same
exchange as scenarios/driver.yaml, for comparing whole-process times.

Signals are blocked and taken with sigwait: a handler of Python runs between two
of its instructions, so one that comes just before pause() or join() is not
handled until the next one comes."""
import os
import pty
import signal
import termios
from multiprocessing import Process


def say(line):
    os.write(1, (line + "\n").encode())


def conductor(driver):
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    say("ready")
    while True:
        got = signal.sigwait([signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1])
        if got == signal.SIGUSR1:
            say("到站了，下车吧")
            os._exit(0)
        os.kill(driver, signal.SIGUSR1 if got == signal.SIGINT else signal.SIGUSR2)


def driver():
    heard = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGTSTP, signal.SIGCHLD]
    signal.pthread_sigmask(signal.SIG_BLOCK, heard + [signal.SIGINT, signal.SIGQUIT])
    child = Process(target=conductor, args=(os.getpid(),))
    child.start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    while (got := signal.sigwait(heard)) != signal.SIGCHLD:
        if got == signal.SIGUSR1:
            say("老司机开车了")
        elif got == signal.SIGUSR2:
            say("系好安全带，小心甩出去")
        else:
            os.kill(child.pid, signal.SIGUSR1)
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
