// Workers sleep in read until a handler writes to their pipe; the reaper sleeps in
// ppoll, the only place where SIGCHLD can come.
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define N 3

static int ends[2];

static void tell(int s) {
	char c = s;
	if (write(ends[1], &c, 1) < 0) _exit(9);
}

static void nothing(int s) { (void)s; }

int main(void) {
	sigset_t block, open;
	sigemptyset(&block);
	sigaddset(&block, SIGCHLD);
	sigprocmask(SIG_BLOCK, &block, &open);
	signal(SIGCHLD, nothing);
	for (int i = 1; i <= N; i++) {
		pid_t pid = fork();
		if (pid < 0) return 1;
		if (pid == 0) {
			char c;
			if (pipe(ends) < 0) _exit(9);
			signal(SIGUSR1, tell);
			while (read(ends[0], &c, 1) != 1) {}
			_exit(i);
		}
	}
	for (int left = N; left > 0;) {
		int status;
		ppoll(NULL, 0, NULL, &open);
		for (; wait3(&status, WNOHANG, NULL) > 0; left--) dprintf(STDOUT_FILENO, "reaped %d\n", WEXITSTATUS(status));
	}
	return 0;
}
