// One of each call of interprocess communication, in a fixed order.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUST(x) do { if (!(x)) { fprintf(stderr, "line %d: %s\n", __LINE__, strerror(errno)); return 90; } } while (0)

static void handler(int sig) { (void)sig; }

int main(int argc, char **argv) {
	MUST(argc == 2); // a name for mq and sem
	char buf[8192] = "hello";
	int p[2], s[2], status;
	MUST(pipe(p) == 0);
	MUST(write(p[1], buf, 5) == 5);
	MUST(read(p[0], buf, sizeof buf) == 5);
	int d = dup(p[0]);
	MUST(dup2(p[1], 50) == 50);
	MUST(fcntl(p[0], F_DUPFD, 60) == 60);
	MUST(fcntl(p[0], F_GETFD) == 0); // none of ours
	close(d);
	close(p[0]);
	close(60);
	signal(SIGPIPE, SIG_IGN);
	MUST(write(p[1], buf, 1) == -1 && errno == EPIPE);
	// The same number, an ordinary file now: none of ours either.
	int file = open("/dev/zero", O_RDONLY);
	MUST(file == p[0]);
	MUST(read(file, buf, 1) == 1);
	close(file);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	MUST(send(s[0], buf, 3, 0) == 3);
	MUST(recv(s[1], buf, 3, 0) == 3);
	MUST(shutdown(s[0], SHUT_WR) == 0);

	int q = msgget(IPC_PRIVATE, 0600);
	struct { long type; char text[4]; } m = {7, "abc"};
	MUST(msgsnd(q, &m, 4, 0) == 0);
	MUST(msgrcv(q, &m, 4, -9, 0) == 4);
	MUST(msgrcv(q, &m, 4, 0, IPC_NOWAIT) == -1);
	MUST(msgctl(q, IPC_RMID, NULL) == 0);
	int sem = semget(IPC_PRIVATE, 2, 0600);
	MUST(semctl(sem, 1, SETVAL, 3) == 0);
	struct sembuf ops[2] = {{1, -2, SEM_UNDO}, {0, 1, 0}};
	MUST(semop(sem, ops, 2) == 0);
	MUST(semctl(sem, 0, IPC_RMID) == 0);
	int shm = shmget(IPC_PRIVATE, 4096, 0600);
	void *at = shmat(shm, NULL, 0);
	MUST(at != (void *)-1 && shmdt(at) == 0 && shmctl(shm, IPC_RMID, NULL) == 0);

	struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 16};
	mqd_t mq = mq_open(argv[1], O_CREAT | O_RDWR | O_NONBLOCK, 0600, &attr);
	MUST(mq != (mqd_t)-1);
	unsigned prio;
	MUST(mq_send(mq, "m", 1, 4) == 0);
	MUST(mq_receive(mq, buf, 16, &prio) == 1);
	MUST(mq_receive(mq, buf, 16, &prio) == -1 && errno == EAGAIN);
	MUST(mq_unlink(argv[1]) == 0);

	// A semaphore in shared memory: one wait that blocks, and the post.
	sem_t *lock = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(lock != MAP_FAILED && sem_init(lock, 1, 0) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		sem_wait(lock);
		_exit(0);
	}
	char wchan[64], path[64];
	do { // until it waits
		snprintf(path, sizeof path, "/proc/%d/stat", pid);
		FILE *f = fopen(path, "r");
		MUST(f && fscanf(f, "%*d %*s %c", wchan) == 1);
		fclose(f);
	} while (wchan[0] != 'S');
	sem_post(lock);
	MUST(waitpid(pid, &status, 0) == pid && status == 0);

	// Signals: taken without delivery, from a signalfd, awaited with sigsuspend.
	sigset_t set, old;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 1);
	MUST(sigprocmask(SIG_BLOCK, &set, &old) == 0);
	MUST(kill(getpid(), SIGUSR1) == 0);
	siginfo_t info;
	MUST(sigwaitinfo(&set, &info) == SIGUSR1);
	MUST(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 42}) == 0);
	int sfd = signalfd(-1, &set, 0);
	struct signalfd_siginfo si;
	MUST(read(sfd, &si, sizeof si) == sizeof si && si.ssi_int == 42);
	struct sigaction act = {.sa_handler = handler, .sa_flags = SA_RESTART};
	MUST(sigaction(SIGUSR1, &act, NULL) == 0);
	MUST(kill(getpid(), SIGUSR1) == 0);
	MUST(sigsuspend(&old) == -1);
	MUST(kill(getpid(), 0) == 0);
	struct itimerval it = {.it_value = {.tv_sec = 100}};
	MUST(setitimer(ITIMER_VIRTUAL, &it, NULL) == 0);
	it.it_value.tv_sec = 0;
	MUST(setitimer(ITIMER_VIRTUAL, &it, NULL) == 0);
	alarm(100);
	alarm(0);

	pid = fork();
	if (pid == 0)
		for (;;) pause();
	MUST(kill(pid, SIGKILL) == 0);
	MUST(waitid(P_PID, pid, &info, WEXITED) == 0);
	return 0;
}
