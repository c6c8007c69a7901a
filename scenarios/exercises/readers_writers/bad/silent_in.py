"""Who comes in does not say so."""
import mmap
import multiprocessing
import os
import signal

ORDERS = {signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM}

readers = mmap.mmap(-1, 1)  # how many are in; shared with children
count = multiprocessing.Lock()  # guards that number
room = multiprocessing.Semaphore(1)  # of the writer, or of the readers together


def say(text):
    os.write(1, (text + "\n").encode())


def serve(come_in, go_out):
    while True:
        order = signal.sigwait(ORDERS)
        if order == signal.SIGUSR1:
            come_in()
        elif order == signal.SIGUSR2:
            go_out()
            say("out")
        else:
            return


def read():
    with count:
        readers[0] += 1
        if readers[0] == 1:
            room.acquire()


def leave():
    with count:
        readers[0] -= 1
        if readers[0] == 0:
            room.release()


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, ORDERS)
    pids = []
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            serve(read, leave)
            os._exit(0)
        pids.append(pid)
    serve(room.acquire, room.release)
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    for pid in pids:
        os.waitpid(pid, 0)


main()
