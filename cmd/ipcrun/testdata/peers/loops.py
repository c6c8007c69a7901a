"""The loops of the step benchmarks in multiprocessing: nanoseconds per round."""
import multiprocessing as mp
import sys
import time


def timed(rounds, body):
    best = None
    for _ in range(3):
        t = time.perf_counter()
        body(rounds)
        d = (time.perf_counter() - t) / rounds * 1e9
        best = d if best is None else min(best, d)
    return best


def lock_alone(rounds):
    lock = mp.Lock()
    for _ in range(rounds):
        lock.acquire()
        lock.release()


def event_alone(rounds):
    ready = mp.Event()
    for _ in range(rounds):
        ready.set()
        ready.clear()


def adder(total, gate, rounds):
    for _ in range(rounds):
        with gate:
            total.value += 1


def two_tills(rounds):
    total, gate = mp.Value("i", 0, lock=False), mp.Lock()
    tills = [mp.Process(target=adder, args=(total, gate, rounds)) for _ in range(2)]
    for t in tills:
        t.start()
    for t in tills:
        t.join()
    assert total.value == 2 * rounds


print(timed(int(sys.argv[2]), globals()[sys.argv[1]]))
