// The reaper asks again and again, and sleeps for a moment between.
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define N 3

int main(void) {
	sigset_t order;
	sigemptyset(&order);
	sigaddset(&order, SIGUSR1);
	sigprocmask(SIG_BLOCK, &order, NULL);
	for (int i = 1; i <= N; i++) {
		pid_t pid = fork();
		if (pid < 0) return 1;
		if (pid == 0) {
			int s;
			sigwait(&order, &s);
			_exit(i);
		}
	}
	for (int left = N; left > 0; left--) {
		int status;
		while (waitpid(-1, &status, WNOHANG) == 0) usleep(10000);
		printf("reaped %d\n", WEXITSTATUS(status));
		fflush(stdout);
	}
	return 0;
}
