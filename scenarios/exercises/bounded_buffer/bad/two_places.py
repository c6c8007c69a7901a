"""The consumer goes through two of the three places."""
import mmap
import multiprocessing
import os
import signal
import struct

PLACES = 3
ORDERS = {signal.SIGUSR1, signal.SIGTERM}

buffer = mmap.mmap(-1, 4 * PLACES)  # shared with children
free = multiprocessing.Semaphore(PLACES)
full = multiprocessing.Semaphore(0)


def say(text):
    os.write(1, (text + "\n").encode())


def consumer():
    n = 0
    while signal.sigwait(ORDERS) == signal.SIGUSR1:
        full.acquire()
        (item,) = struct.unpack_from("i", buffer, 4 * (n % 2))
        n += 1
        free.release()
        say("got %d" % item)
    os._exit(0)


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, ORDERS)
    pid = os.fork()
    if pid == 0:
        consumer()
    n = 0
    while signal.sigwait(ORDERS) == signal.SIGUSR1:
        free.acquire()
        struct.pack_into("i", buffer, 4 * (n % PLACES), n + 1)
        n += 1
        full.release()
        say("put %d" % n)
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)


main()
