// The parent does not print.
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void child(int in, int out) {
	int ball;
	while (read(in, &ball, sizeof ball) == sizeof ball) {
		printf("pong %d\n", ball);
		fflush(stdout);
		ball++;
		if (write(out, &ball, sizeof ball) < 0) _exit(1);
	}
	_exit(0); // the end of the file: the game is over
}

int main(void) {
	int there[2], back[2], ball = 1, s;
	sigset_t orders;
	sigemptyset(&orders);
	sigaddset(&orders, SIGUSR1);
	sigaddset(&orders, SIGTERM);
	sigprocmask(SIG_BLOCK, &orders, NULL);
	if (pipe(there) < 0 || pipe(back) < 0) return 1;
	pid_t pid = fork();
	if (pid < 0) return 1;
	if (pid == 0) {
		// Every copy of the write end keeps the end of the file away, one's own too.
		close(there[1]);
		close(back[0]);
		child(there[0], back[1]);
	}
	close(there[0]);
	close(back[1]);
	while (sigwait(&orders, &s) == 0 && s == SIGUSR1) {
		if (write(there[1], &ball, sizeof ball) < 0) return 1;
		if (read(back[0], &ball, sizeof ball) != sizeof ball) return 1;
		fflush(stdout);
	}
	close(there[1]);
	waitpid(pid, NULL, 0);
	return 0;
}
