# The driver exercise with os.fork.
import os
import signal


def say(text):
    return lambda *_: print(text, flush=True)


def conduct():
    def off(*_):
        print("到站了，下车吧", flush=True)
        os._exit(0)

    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, lambda *_: os.kill(os.getppid(), signal.SIGUSR1))
    signal.signal(signal.SIGQUIT, lambda *_: os.kill(os.getppid(), signal.SIGUSR2))
    signal.signal(signal.SIGUSR1, off)
    while True:
        signal.pause()


conductor = os.fork()
if conductor == 0:
    conduct()
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGQUIT, signal.SIG_IGN)
signal.signal(signal.SIGUSR1, say("老司机开车了"))
signal.signal(signal.SIGUSR2, say("系好安全带，小心甩出去"))
signal.signal(signal.SIGTSTP, lambda *_: os.kill(conductor, signal.SIGUSR1))
os.waitpid(conductor, 0)
print("driver off", flush=True)
