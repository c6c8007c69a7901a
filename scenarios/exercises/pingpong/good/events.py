"""The parent is an event loop, to which signals come through a socket of its own."""
import asyncio
import os
import signal
import sys

there_r, there_w = os.pipe()
back_r, back_w = os.pipe()
child = os.fork()
if child == 0:
    os.close(there_w)
    os.close(back_r)
    with os.fdopen(there_r) as balls, os.fdopen(back_w, "w", 1) as back:
        for ball in balls:
            print("pong", int(ball), flush=True)
            print(int(ball) + 1, file=back)
    sys.exit(0)
os.close(there_r)
os.close(back_w)


async def play():
    orders, ball = asyncio.Queue(), 1
    for s in (signal.SIGUSR1, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(s, orders.put_nowait, s)
    with os.fdopen(back_r) as answers:
        while await orders.get() == signal.SIGUSR1:
            os.write(there_w, b"%d\n" % ball)
            ball = int(answers.readline())
            print("ping", ball, flush=True)
    os.close(there_w)
    os.waitpid(child, 0)


asyncio.run(play())
