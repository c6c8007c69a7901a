// Every way in which a signal comes to a process, one after the other.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void handler(int sig) { (void)sig; }

int main(void) {
	signal(SIGUSR1, handler);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGALRM, handler);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGRTMIN, handler);
	kill(getpid(), SIGUSR1);                                    // caught
	kill(getpid(), SIGUSR2);                                    // ignored
	kill(getpid(), SIGWINCH);                                   // ignored by default
	raise(SIGUSR1);                                             // tkill
	sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = -7});
	int p[2];
	if (pipe(p)) return 1;
	close(p[0]);
	if (write(p[1], "x", 1) != -1) return 2;                    // SIGPIPE by the kernel
	kill(getpid(), SIGPIPE);                                    // and by kill
	close(p[1]);
	// What is to be waited for is held back until then: it may come before.
	sigset_t held, old;
	sigemptyset(&held);
	sigaddset(&held, SIGALRM);
	sigaddset(&held, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &held, &old);
	ualarm(1000, 0);
	sigsuspend(&old);                                           // by the kernel
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value = {.sival_int = 9}};
	timer_t timer;
	if (timer_create(CLOCK_MONOTONIC, &ev, &timer)) return 3;
	struct itimerspec soon = {.it_value = {.tv_nsec = 1000000}};
	timer_settime(timer, 0, &soon, NULL);
	sigsuspend(&old);                                           // by a timer
	sigprocmask(SIG_SETMASK, &old, NULL);
	pid_t child = fork();
	if (child == 0) {
		kill(getppid(), SIGUSR2);
		_exit(3);
	}
	int status;
	waitpid(child, &status, 0);                                 // SIGCHLD
	// Blocked: five are one when they are delivered; of real-time ones all are.
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 5; i++) {
		kill(getpid(), SIGUSR1);
		sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i});
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	signal(SIGUSR1, SIG_DFL);
	kill(getpid(), SIGUSR1);
	return 4;
}
