"""The loops of the step benchmarks in multiprocessing: nanoseconds per round.

    python3 loops.py NAME ROUNDS

The time is that of the rounds alone: processes are started before, and the
first rounds are not counted.
"""
import multiprocessing as mp
import os
import signal
import sys
import time

WARM = 50


def lock_alone(rounds):
    lock = mp.Lock()
    t = time.perf_counter()
    for _ in range(rounds):
        lock.acquire()
        lock.release()
    return time.perf_counter() - t


def event_alone(rounds):
    ready = mp.Event()
    t = time.perf_counter()
    for _ in range(rounds):
        ready.set()
        ready.clear()
    return time.perf_counter() - t


def adder(total, gate, rounds, ready, go):
    ready.release()
    go.wait()
    for _ in range(rounds):
        with gate:
            total.value += 1


def two_tills(rounds, own_lock=False):
    total, gate = mp.Value("i", 0, lock=own_lock), mp.Lock()
    ready, go = mp.Semaphore(0), mp.Event()
    tills = [mp.Process(target=adder, args=(total, gate, rounds, ready, go)) for _ in range(2)]
    for p in tills:
        p.start()
    for _ in tills:
        ready.acquire()
    t = time.perf_counter()
    go.set()
    for p in tills:
        p.join()
    assert total.value == 2 * rounds
    return (time.perf_counter() - t) / 2


def two_tills_default(rounds):
    """With a Value as it is if nobody says otherwise: each access takes its lock."""
    return two_tills(rounds, own_lock=True)


def paired(peer, args, play, rounds):
    """Times play(rounds) against a process that answers."""
    p = mp.Process(target=peer, args=args)
    p.start()
    play(WARM)
    t = time.perf_counter()
    play(rounds)
    d = time.perf_counter() - t
    p.join()
    return d


def echo(conn, rounds):
    for _ in range(rounds):
        conn.send(conn.recv())


def pipe_round_trip(rounds):
    a, b = mp.Pipe()

    def play(n):
        for i in range(n):
            a.send(i)
            a.recv()

    return paired(echo, (b, rounds + WARM), play, rounds)


def taker(q, done, rounds):
    for _ in range(rounds):
        q.get()
    done.set()


def queue_put_get(rounds):
    q, done = mp.Queue(), mp.Event()
    p = mp.Process(target=taker, args=(q, done, rounds))
    p.start()
    t = time.perf_counter()
    for i in range(rounds):
        q.put(i)
    done.wait()
    d = time.perf_counter() - t
    p.join()
    return d


def manager_put_get(rounds):
    with mp.Manager() as manager:
        q, done = manager.Queue(), mp.Event()
        p = mp.Process(target=taker, args=(q, done, rounds + WARM))
        p.start()
        for i in range(WARM):
            q.put(i)
        t = time.perf_counter()
        for i in range(rounds):
            q.put(i)
        done.wait()
        d = time.perf_counter() - t
        p.join()
        return d


def sem_peer(ping, pong, rounds):
    for _ in range(rounds):
        ping.acquire()
        pong.release()


def semaphore_ping_pong(rounds):
    ping, pong = mp.Semaphore(0), mp.Semaphore(0)

    def play(n):
        for _ in range(n):
            ping.release()
            pong.acquire()

    return paired(sem_peer, (ping, pong, rounds + WARM), play, rounds)


def event_peer(ping, pong, rounds):
    for _ in range(rounds):
        ping.wait()
        ping.clear()
        pong.set()


def event_ping_pong(rounds):
    ping, pong = mp.Event(), mp.Event()

    def play(n):
        for _ in range(n):
            ping.set()
            pong.wait()
            pong.clear()

    return paired(event_peer, (ping, pong, rounds + WARM), play, rounds)


def signal_peer(parent, rounds):
    for _ in range(rounds):
        signal.sigwait([signal.SIGUSR1])
        os.kill(parent, signal.SIGUSR1)


def signal_round_trip(rounds):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    p = mp.Process(target=signal_peer, args=(os.getpid(), rounds + WARM))
    p.start()

    def play(n):
        for _ in range(n):
            os.kill(p.pid, signal.SIGUSR1)
            signal.sigwait([signal.SIGUSR1])

    play(WARM)
    t = time.perf_counter()
    play(rounds)
    d = time.perf_counter() - t
    p.join()
    return d


def square(x):
    return x * x


def pool_apply(rounds):
    with mp.Pool(2) as pool:
        for i in range(WARM):
            pool.apply(square, (i,))
        t = time.perf_counter()
        for i in range(rounds):
            pool.apply(square, (i,))
        return time.perf_counter() - t


rounds = int(sys.argv[2])
print(globals()[sys.argv[1]](rounds) / rounds * 1e9)
