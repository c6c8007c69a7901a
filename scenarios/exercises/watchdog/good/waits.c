// The dog sleeps in waitpid, which goes on after each handler.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile pid_t child;

static void alive(int s) {
	(void)s;
	alarm(5);
	if (write(STDOUT_FILENO, "alive\n", 6) < 0) _exit(2);
}

static void late(int s) { (void)s; kill(child, SIGKILL); }

static void show_life(int s) { (void)s; kill(getppid(), SIGUSR1); }

static void handle(int s, void (*f)(int)) {
	struct sigaction a;
	memset(&a, 0, sizeof a);
	a.sa_handler = f;
	a.sa_flags = SA_RESTART;
	sigaction(s, &a, NULL);
}

int main(void) {
	handle(SIGUSR1, alive);
	handle(SIGALRM, late);
	child = fork();
	if (child < 0) return 2;
	if (child == 0) {
		handle(SIGUSR1, show_life);
		for (;;) pause();
	}
	alarm(5);
	waitpid(child, NULL, 0);
	puts("killed");
	return 1;
}
