// Waits in pause and in wait for a signal with a handler, which follows at the
// heels of one that is ignored. A handler makes both return EINTR: without a tracer
// the ignored signal does not wake the process, and so no signal can come between
// two attempts of the same call.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void nothing(int signal) { (void)signal; }

// asleep waits until a process sleeps, which it does nowhere but in the call that
// is to be interrupted.
static void asleep(pid_t pid) {
	char name[64], text[256];
	snprintf(name, sizeof name, "/proc/%d/stat", pid);
	for (;;) {
		int fd = open(name, O_RDONLY);
		ssize_t n = read(fd, text, sizeof text - 1);
		close(fd);
		if (n <= 0) exit(9);
		text[n] = 0;
		char *state = strrchr(text, ')');
		if (state && state[2] == 'S') return;
	}
}

int main(int argc, char **argv) {
	int rounds = argc > 1 ? atoi(argv[1]) : 100, p[2];
	struct sigaction a = {.sa_handler = nothing};
	sigaction(SIGUSR1, &a, NULL);
	signal(SIGUSR2, SIG_IGN);
	if (pipe(p)) return 2;
	pid_t child = fork();
	if (child == 0) {
		pid_t parent = getppid();
		struct pollfd answer = {.fd = p[0], .events = POLLIN};
		char byte;
		for (int i = 0; i < rounds; i++) {
			asleep(parent);
			kill(parent, SIGUSR2);
			for (volatile int pause = i % 50 * 40; pause > 0; pause--)
				;
			kill(parent, SIGUSR1);
			if (poll(&answer, 1, 60000) != 1) {
				fprintf(stderr, "round %d: the call went on as if no handler had run\n", i);
				kill(parent, SIGKILL);
				_exit(1);
			}
			if (read(p[0], &byte, 1) != 1) _exit(3);
		}
		_exit(0);
	}
	close(p[0]);
	for (int i = 0; i < rounds; i++) {
		if (i % 2)
			pause();
		else if (waitpid(child, NULL, 0) == child)
			return 4;
		if (errno != EINTR || write(p[1], "x", 1) != 1) return 5;
	}
	int status;
	if (waitpid(child, &status, 0) != child) return 6;
	return status != 0;
}
