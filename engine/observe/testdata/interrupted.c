// A read that a signal interrupts in each of four ways before it gets its byte:
// an ignored signal, a stop, a handler with SA_RESTART, and one without. The child
// sends each when the parent waits in the read, and has met the one before: who reads
// what the observer tells says so, by a byte.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUST(x) do { if (!(x)) { fprintf(stderr, "line %d: %s\n", __LINE__, strerror(errno)); _exit(90); } } while (0)

static volatile sig_atomic_t handled;

static void handler(int sig) { handled = sig; }

// reads until the parent is in the system call, which is number 0 here.
static void awaitRead(pid_t pid) {
	char path[64], line[256];
	snprintf(path, sizeof path, "/proc/%d/syscall", pid);
	do {
		FILE *f = fopen(path, "r");
		MUST(f);
		MUST(fgets(line, sizeof line, f));
		fclose(f);
	} while (strncmp(line, "0 0x", 4) && strncmp(line, "63 0x", 5));
}

static void awaitMet(void) {
	char c;
	MUST(read(0, &c, 1) == 1);
}

static void awaitState(pid_t pid, char state) {
	char path[64], c;
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	do {
		FILE *f = fopen(path, "r");
		MUST(f && fscanf(f, "%*d %*s %c", &c) == 1);
		fclose(f);
	} while (c != state);
}

int main(void) {
	int p[2], status;
	char c;
	MUST(pipe(p) == 0);
	signal(SIGUSR1, SIG_IGN);
	struct sigaction restart = {.sa_handler = handler, .sa_flags = SA_RESTART}, plain = {.sa_handler = handler};
	sigaction(SIGUSR2, &restart, NULL);
	sigaction(SIGHUP, &plain, NULL);
	pid_t pid = fork();
	if (pid == 0) {
		pid_t parent = getppid();
		awaitRead(parent);
		kill(parent, SIGUSR1);
		awaitMet();
		awaitRead(parent);
		kill(parent, SIGSTOP);
		awaitMet();
		kill(parent, SIGCONT);
		awaitMet();
		awaitRead(parent);
		kill(parent, SIGUSR2);
		awaitMet();
		awaitRead(parent);
		MUST(write(p[1], "x", 1) == 1);
		awaitState(parent, 'S'); // in the second read
		awaitRead(parent);
		kill(parent, SIGHUP);
		_exit(0);
	}
	MUST(read(p[0], &c, 1) == 1 && handled == SIGUSR2);
	MUST(read(p[0], &c, 1) == -1 && errno == EINTR && handled == SIGHUP);
	MUST(waitpid(pid, &status, 0) == pid && status == 0);
	return 0;
}
