"""The parent asks again and again whether a signal is there."""
import os
import signal


def say(text):
    os.write(1, (text + "\n").encode())


def child(ball_in, ball_out):
    while True:
        data = os.read(ball_in, 100)
        if not data:  # the end of the file: the game is over
            os._exit(0)
        ball = int(data)
        say("pong %d" % ball)
        os.write(ball_out, b"%d" % (ball + 1))


def main():
    there_r, there_w = os.pipe()
    back_r, back_w = os.pipe()
    orders = {signal.SIGUSR1, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, orders)
    pid = os.fork()
    if pid == 0:
        # Every copy of the write end keeps the end of the file away, one's own too.
        os.close(there_w)
        os.close(back_r)
        child(there_r, back_w)
    os.close(there_r)
    os.close(back_w)
    ball = 1
    def order():
        while not signal.sigpending():
            pass
        return signal.sigwait(orders)

    while order() == signal.SIGUSR1:
        os.write(there_w, b"%d" % ball)
        ball = int(os.read(back_r, 100))
        say("ping %d" % ball)
    os.close(there_w)
    os.waitpid(pid, 0)


main()
