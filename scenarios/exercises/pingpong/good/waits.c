// The parent sleeps in waitpid, which goes on after each handler; these play.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int there[2], back[2], ball = 1;

static void play(int s) {
	(void)s;
	if (write(there[1], &ball, sizeof ball) < 0) _exit(1);
	if (read(back[0], &ball, sizeof ball) != sizeof ball) _exit(1);
	dprintf(STDOUT_FILENO, "ping %d\n", ball);
}

static void over(int s) { (void)s; close(there[1]); }

static void handle(int s, void (*f)(int)) {
	struct sigaction a;
	memset(&a, 0, sizeof a);
	a.sa_handler = f;
	a.sa_flags = SA_RESTART;
	sigfillset(&a.sa_mask);
	sigaction(s, &a, NULL);
}

int main(void) {
	if (pipe(there) < 0 || pipe(back) < 0) return 1;
	pid_t pid = fork();
	if (pid < 0) return 1;
	if (pid == 0) {
		int n;
		close(there[1]);
		close(back[0]);
		while (read(there[0], &n, sizeof n) == sizeof n) {
			printf("pong %d\n", n);
			fflush(stdout);
			n++;
			if (write(back[1], &n, sizeof n) < 0) return 1;
		}
		return 0;
	}
	close(there[0]);
	close(back[1]);
	handle(SIGUSR1, play);
	handle(SIGTERM, over);
	int status;
	if (waitpid(pid, &status, 0) < 0) return 1;
	return WEXITSTATUS(status);
}
