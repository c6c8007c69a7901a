// Forks in every way: fork, vfork, clone with another signal, double fork with
// setsid, a child that is killed.
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int body(void *arg) { _exit((int)(long)arg); }

int main(void) {
	pid_t pid = fork();
	if (pid == 0) _exit(1);
	waitpid(pid, NULL, 0);
	pid = vfork();
	if (pid == 0) _exit(2);
	waitpid(pid, NULL, 0);
	char *stack = malloc(65536);
	pid = clone(body, stack + 65536, 0, (void *)3L);
	waitpid(pid, NULL, __WALL);
	pid = fork();
	if (pid == 0) {
		for (;;) pause();
	}
	kill(pid, SIGKILL);
	int status;
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) return 90;
	int p[2];
	if (pipe(p)) return 91;
	pid = fork();
	if (pid == 0) {
		setsid();
		if (fork() == 0) {
			close(p[1]);
			char c;
			if (read(p[0], &c, 1)) _exit(92); // until the grandparent has gone
			_exit(5);
		}
		_exit(4);
	}
	waitpid(pid, NULL, 0);
	return 0;
}
