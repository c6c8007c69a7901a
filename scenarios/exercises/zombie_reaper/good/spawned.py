"""Workers that are started by an exec, beside a helper that Python starts for itself."""
import multiprocessing
import os
import signal
from multiprocessing.connection import wait


def worker(i):
    signal.signal(signal.SIGUSR1, lambda *_: os._exit(i))
    while True:
        signal.pause()


if __name__ == "__main__":
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=worker, args=(i,)) for i in (1, 2, 3)]
    for w in workers:
        w.start()
    left = {w.sentinel: w for w in workers}
    while left:
        for s in wait(list(left)):
            w = left.pop(s)
            w.join()
            print("reaped", w.exitcode, flush=True)
