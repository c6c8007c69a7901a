// Waits in system calls that return EINTR after any interruption, while a child's
// end and an ignored signal arrive.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <unistd.h>

static int disturbed(void) {
	// Returns in the child only, after three signals that its parent ignores.
	pid_t other = fork();
	if (other == 0) {
		kill(getppid(), SIGUSR1);
		kill(getppid(), SIGWINCH);
		_exit(0);
	}
	waitpid(other, NULL, 0);
	pid_t parent = getppid();
	kill(parent, SIGUSR1);
	return 0;
}

int main(void) {
	signal(SIGUSR1, SIG_IGN);
	int sem = semget(IPC_PRIVATE, 1, 0600 | IPC_CREAT);
	if (sem < 0) return 2;
	pid_t pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 50; i++) disturbed();
		struct sembuf up = {.sem_op = 1};
		semop(sem, &up, 1);
		_exit(0);
	}
	struct sembuf down = {.sem_op = -1};
	int r = semop(sem, &down, 1);
	int e = errno;
	semctl(sem, 0, IPC_RMID);
	waitpid(pid, NULL, 0);
	if (r) { fprintf(stderr, "semop: %d\n", e); return 3; }

	int p[2];
	if (pipe(p)) return 4;
	int ep = epoll_create1(0);
	struct epoll_event ev = {.events = EPOLLIN};
	if (epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev)) return 5;
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 50; i++) disturbed();
		if (write(p[1], "x", 1) != 1) _exit(1);
		_exit(0);
	}
	r = epoll_wait(ep, &ev, 1, -1);
	e = errno;
	waitpid(pid, NULL, 0);
	if (r != 1) { fprintf(stderr, "epoll_wait: %d\n", e); return 6; }
	return 0;
}
