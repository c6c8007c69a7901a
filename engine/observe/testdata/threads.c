// A program with threads: signals to one of them, a stop of all, an exec from one
// that is not the first. Argument: "exec", "stop", or "leave", where the first
// thread ends before the others.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static pthread_barrier_t ready;
static char **args;

static void handler(int sig) { (void)sig; }

static void *idle(void *unused) {
	pthread_barrier_wait(&ready);
	for (;;) pause();
	return unused;
}

static void *act(void *unused) {
	pthread_barrier_wait(&ready);
	if (!strcmp(args[1], "exec")) {
		execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL);
		_exit(99);
	}
	pthread_kill(pthread_self(), SIGUSR1);
	pthread_kill(pthread_self(), SIGSTOP); // to this one: kill would return before another stops
	_exit(6);
	return unused;
}

int main(int argc, char **argv) {
	if (argc != 2) return 98;
	args = argv;
	signal(SIGUSR1, handler);
	pthread_barrier_init(&ready, NULL, 5);
	pthread_t t;
	for (int i = 0; i < 3; i++) pthread_create(&t, NULL, idle, NULL);
	pthread_create(&t, NULL, act, NULL);
	pthread_barrier_wait(&ready);
	if (!strcmp(argv[1], "leave")) pthread_exit(NULL);
	pthread_join(t, NULL);
	return 97;
}
