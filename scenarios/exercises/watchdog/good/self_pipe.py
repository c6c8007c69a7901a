"""The handlers write to a socket, and the dog sleeps in select until it can be read."""
import os
import select
import signal
import socket

heard, told = socket.socketpair()
told.setblocking(False)
signal.set_wakeup_fd(told.fileno())
for s in (signal.SIGUSR1, signal.SIGALRM):
    signal.signal(s, lambda *_: None)
child = os.fork()
if child == 0:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    dog = os.getppid()
    signal.signal(signal.SIGUSR1, lambda *_: os.kill(dog, signal.SIGUSR1))
    while True:
        signal.pause()
signal.alarm(5)
while True:
    select.select([heard], [], [])
    for s in heard.recv(100):
        if s == signal.SIGUSR1:
            signal.alarm(5)
            print("alive", flush=True)
        elif s == signal.SIGALRM:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            print("killed", flush=True)
            os._exit(1)
