/* Programs that do not behave. Each ends, or would, within seconds even if
 * nobody held it: a test that fails must not take the machine with it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static double end;

static void last(double seconds) { end = now() + seconds; }

static void stay(void) {
	while (now() < end)
		usleep(200000);
	_exit(0);
}

static void say(const char *what) { printf("%s\n", what); fflush(stdout); }

static void deaf(void) {
	for (int s = 1; s < 65; s++)
		signal(s, SIG_IGN);
}

/* Every process forks as long as it can; all of them 3000 times. */
static void bomb(void) {
	last(20);
	int *count = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	say("ready");
	while (now() < end && __sync_fetch_and_add(count, 1) < 3000)
		fork();
	stay();
}

/* Says how many children it can have, up to 1000. */
static void brood(void) {
	last(20);
	int n = 0;
	for (; n < 1000; n++) {
		pid_t p = fork();
		if (p < 0)
			break;
		if (p == 0)
			stay();
	}
	printf("%d\n", n);
	fflush(stdout);
	stay();
}

/* Forks and exits: no number is good for longer than a moment. */
static void hop(int session) {
	last(20);
	say("ready");
	while (now() < end) {
		pid_t p = fork();
		if (p > 0)
			_exit(0);
		if (p == 0 && session)
			setsid();
	}
}

/* Whoever is killed is replaced by its parent. */
static void hydra(void) {
	last(20);
	deaf();
	signal(SIGCHLD, SIG_DFL);
	for (int i = 0; i < 8; i++)
		if (fork() == 0)
			stay();
	say("ready");
	while (now() < end) {
		if (waitpid(-1, NULL, 0) > 0 && fork() == 0)
			stay();
	}
}

static void escape(void) {
	last(20);
	if (fork() == 0) {
		setsid();
		if (fork() == 0) {
			deaf();
			close(0), close(2);
			say("ready");
			clearenv();
			stay();
		}
		_exit(0);
	}
	wait(NULL);
	_exit(3);
}

/* One process keeps continuing the others. */
static void awake(void) {
	last(20);
	pid_t group = getpgrp();
	for (int i = 0; i < 4; i++)
		if (fork() == 0) {
			deaf();
			while (now() < end)
				kill(-group, SIGCONT);
			_exit(0);
		}
	say("ready");
	stay();
}

static void eat(void) {
	size_t sum = 0;
	for (int i = 0; i < 4096; i++) {
		char *p = malloc(1 << 20);
		if (!p) {
			printf("denied after %zu MiB\n", sum >> 20);
			exit(7);
		}
		memset(p, 1, 1 << 20);
		sum += 1 << 20;
	}
	exit(0);
}

static void *heads(void *first) {
	pthread_join(*(pthread_t *)first, NULL);
	static char *volatile kept; /* or the compiler leaves it out */
	kept = malloc(32 << 20);
	memset(kept, 1, 32 << 20);
	say("ready");
	stay();
	return NULL;
}

/* Its main thread leaves, and another takes 32 MiB. */
static void headless(void) {
	static pthread_t first, second;
	last(20);
	first = pthread_self();
	pthread_create(&second, NULL, heads, &first);
	syscall(SYS_exit, 0);
}

static void fill(const char *path) {
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0) {
		printf("%s: %s\n", path, strerror(errno));
		exit(4);
	}
	static char block[1 << 16];
	for (int i = 0; i < 16 << 10; i++)
		if (write(fd, block, sizeof block) < 0) {
			printf("full: %s\n", strerror(errno));
			exit(5);
		}
	exit(0);
}

static void spin(void) {
	say("ready");
	while (clock() < 20 * CLOCKS_PER_SEC)
		;
}

static void try_kill(const char *name, pid_t pid, int sig) {
	errno = 0;
	kill(pid, sig);
	printf("%s: %s\n", name, errno == 0 ? "sent" : strerror(errno));
	fflush(stdout);
}

static void assassin(void) {
	last(20);
	signal(SIGTERM, SIG_IGN);
	try_kill("parent", getppid(), SIGKILL);
	/* Were anybody in reach, this would be the end of the machine. */
	try_kill("everybody", -1, kill(-1, 0) == 0 ? 0 : SIGKILL);
	try_kill("init", 1, SIGSTOP);
	say("alive");
	exit(9);
}

static void made(const char *what, int ok) {
	if (!ok)
		printf("%s: %s; ", what, strerror(errno));
}

/* Leaves one of each object that has a name: names that begin with a text, and keys
 * from a number on. */
static void objects(const char *names, int key) {
	struct mq_attr a = {.mq_maxmsg = 1, .mq_msgsize = 16};
	char name[100];
#define NAMED(what) (snprintf(name, sizeof name, "/%s-" what, names), name)
	made("msgget", msgget(key, IPC_CREAT | 0600) >= 0);
	made("semget", semget(key + 1, 1, IPC_CREAT | 0600) >= 0);
	made("shmget", shmget(key + 2, 4096, IPC_CREAT | 0600) >= 0);
	made("shm_open", shm_open(NAMED("memory"), O_CREAT | O_RDWR, 0600) >= 0);
	made("sem_open", sem_open(NAMED("semaphore"), O_CREAT, 0600, 0) != SEM_FAILED);
	made("mq_open", mq_open(NAMED("queue"), O_CREAT | O_RDWR, 0600, &a) >= 0);
	say("done");
	exit(0);
}

static void privileged(int trace) {
	printf("mount: %s\n", mount("none", "/tmp", "tmpfs", 0, "") ? strerror(errno) : "done");
	printf("umount: %s\n", umount2("/proc", MNT_DETACH) ? strerror(errno) : "done");
	/* Where nothing keeps it from doing so, its supervisor would be stopped. */
	printf("trace: %s\n", !trace ? "not tried" : ptrace(PTRACE_ATTACH, getppid(), 0, 0) ? strerror(errno) : "done");
	struct rlimit l = {RLIM_INFINITY, RLIM_INFINITY};
	printf("raise: %s\n", setrlimit(RLIMIT_NOFILE, &l) ? strerror(errno) : "done");
	exit(0);
}

/* A parent of the program's own: its supervisor. */
static void parent(int sig) {
	last(20);
	pid_t child = fork();
	if (child == 0) {
		setsid();
		deaf();
		stay();
	}
	try_kill("parent", getppid(), sig);
	stay();
}

/* Every process that it can see, but for whatever is above it; by name, so
 * that nobody is hit who has nothing to do with it. */
static void siblings(void) {
	last(20);
	for (int i = 0; i < 3; i++)
		if (fork() == 0)
			stay();
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	int n = 0;
	while (wait(NULL) > 0)
		n++;
	printf("killed %d\n", n);
	exit(0);
}

/* A grandchild in a session of its own keeps the output open. */
static void holder(void) {
	last(20);
	if (fork() == 0) {
		setsid();
		if (fork() == 0)
			stay();
		_exit(0);
	}
	wait(NULL);
	say("gone");
	_exit(0);
}

static void flood(int fd) {
	last(20);
	static char block[4096];
	memset(block, 'x', sizeof block);
	for (int i = 63; i < (int)sizeof block; i += 64)
		block[i] = '\n';
	while (now() < end)
		if (write(fd, block, sizeof block) < 0)
			exit(5);
}

/* Whoever holds the output floods it, in a session of its own. */
static void flood_child(void) {
	last(20);
	if (fork() == 0) {
		setsid();
		flood(1);
	}
	stay();
}

static void line_without_end(void) {
	last(20);
	static char block[4096];
	memset(block, 'y', sizeof block);
	while (now() < end)
		if (write(1, block, sizeof block) < 0)
			exit(5);
}

static void homeless(void) {
	char dir[] = "homeless-XXXXXX";
	if (!mkdtemp(dir) || chdir(dir) || rmdir("../") == 0)
		exit(4);
	char path[64];
	snprintf(path, sizeof path, "../%s", dir);
	rmdir(path);
	errno = 0;
	printf("%s\n", getcwd(path, sizeof path) ? "at home" : strerror(errno));
	exit(0);
}

static void closes(void) {
	last(20);
	for (int fd = 0; fd < 1024; fd++)
		close(fd);
	stay();
}

static void terminal(void) {
	system("stty raw echo -isig intr undef 2>/dev/null");
	say("raw");
	exit(0);
}

static void hoard(void) {
	int n = 0;
	while (n < 10000 && open("/dev/null", O_RDONLY) >= 0)
		n++;
	printf("%d: %s\n", n, strerror(errno));
	exit(0);
}

static void freeze_group(void) {
	last(20);
	fork();
	say("ready");
	kill(0, SIGSTOP);
	stay();
}

static void escapes(void) {
	say("\033[2J\033[1;31mred\033]0;title\007\033[?1049h\033c\r\b");
	exit(0);
}

static void fires(void) {
	last(20);
	if (fork() == 0)
		stay();
	say("bye");
	_exit(0);
}

int main(int argc, char **argv) {
	const char *what = argv[1];
	if (!strcmp(what, "kill-parent")) parent(SIGKILL);
	if (!strcmp(what, "stop-parent")) parent(SIGSTOP);
	if (!strcmp(what, "siblings")) siblings();
	if (!strcmp(what, "holder")) holder();
	if (!strcmp(what, "flood")) flood(1);
	if (!strcmp(what, "flood-errors")) flood(2);
	if (!strcmp(what, "flood-child")) flood_child();
	if (!strcmp(what, "long-line")) line_without_end();
	if (!strcmp(what, "homeless")) homeless();
	if (!strcmp(what, "closes")) closes();
	if (!strcmp(what, "other")) { execl("/bin/sleep", "sleep", "20", (char *)0); exit(4); }
	if (!strcmp(what, "terminal")) terminal();
	if (!strcmp(what, "hoard")) hoard();
	if (!strcmp(what, "freeze-group")) freeze_group();
	if (!strcmp(what, "escapes")) escapes();
	if (!strcmp(what, "fires")) fires();
	if (!strcmp(what, "bomb")) bomb();
	if (!strcmp(what, "brood")) brood();
	if (!strcmp(what, "hop")) hop(0);
	if (!strcmp(what, "hop-session")) hop(1);
	if (!strcmp(what, "hydra")) hydra();
	if (!strcmp(what, "escape")) escape();
	if (!strcmp(what, "awake")) awake();
	if (!strcmp(what, "eat")) eat();
	if (!strcmp(what, "headless")) headless();
	if (!strcmp(what, "fill")) fill(argv[2]);
	if (!strcmp(what, "spin")) spin();
	if (!strcmp(what, "assassin")) assassin();
	if (!strcmp(what, "objects")) objects(argc > 2 ? argv[2] : "ipcrun-zoo", argc > 3 ? atoi(argv[3]) : 0x1234);
	if (!strcmp(what, "privileged")) privileged(argc > 2);
	if (!strcmp(what, "deaf")) { last(20); deaf(); say("ready"); stay(); }
	if (!strcmp(what, "stop")) { last(20); say("ready"); raise(SIGSTOP); stay(); }
	return 99;
}
