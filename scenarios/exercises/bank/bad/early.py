"""The bank reads the balance before its tellers have done anything."""
import mmap
import multiprocessing
import os
import signal
import struct

ORDERS = {signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM}

account = mmap.mmap(-1, 4)  # shared with children
gate = multiprocessing.Lock()


def say(text):
    os.write(1, (text + "\n").encode())


def read():
    return struct.unpack_from("i", account)[0]


def write(amount):
    struct.pack_into("i", account, 0, amount)


def teller():
    while True:
        order = signal.sigwait(ORDERS)
        if order == signal.SIGUSR1:
            gate.acquire()
            seen = read()
            say("sees %d" % seen)
        elif order == signal.SIGUSR2:
            write(seen + 10)
            say("writes %d" % (seen + 10))
            gate.release()
        else:
            os._exit(0)


def main():
    write(100)
    signal.pthread_sigmask(signal.SIG_BLOCK, ORDERS)
    tellers = []
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            teller()
        tellers.append(pid)
    balance = read()
    signal.sigwait({signal.SIGTERM})
    for pid in tellers:
        os.kill(pid, signal.SIGTERM)
    for pid in tellers:
        os.waitpid(pid, 0)
    say("balance %d" % balance)


main()
