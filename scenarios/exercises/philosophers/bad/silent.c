// Who has eaten does not say so.
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define N 3

static struct shared {
	sem_t seats, forks[N];
} *t;

static void say(const char *text) {
	puts(text);
	fflush(stdout);
}

static void take(sem_t *s) {
	while (sem_wait(s) < 0) {}
}

static int next(const sigset_t *set) {
	int s;
	return sigwait(set, &s) == 0 ? s : 0;
}

static int philosopher(int i) {
	sigset_t hungry, more;
	sigemptyset(&hungry);
	sigaddset(&hungry, SIGUSR1);
	sigaddset(&hungry, SIGTERM);
	sigemptyset(&more);
	sigaddset(&more, SIGUSR2);
	while (next(&hungry) == SIGUSR1) {
		take(&t->seats);
		take(&t->forks[i]);
		say("has a fork");
		next(&more);
		take(&t->forks[(i + 1) % N]);
		say("eats");
		next(&hungry);
		sem_post(&t->forks[i]);
		sem_post(&t->forks[(i + 1) % N]);
		sem_post(&t->seats);
	}
	return 0;
}

int main(void) {
	t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t == MAP_FAILED) return 1;
	sem_init(&t->seats, 1, N - 1);
	for (int i = 0; i < N; i++) sem_init(&t->forks[i], 1, 1);
	sigset_t orders, end;
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	orders = end;
	sigaddset(&orders, SIGUSR1);
	sigaddset(&orders, SIGUSR2);
	sigprocmask(SIG_BLOCK, &orders, NULL);
	pid_t pids[N];
	for (int i = 0; i < N; i++) {
		pids[i] = fork();
		if (pids[i] < 0) return 1;
		if (pids[i] == 0) return philosopher(i);
	}
	next(&end);
	for (int i = 0; i < N; i++) kill(pids[i], SIGTERM);
	for (int i = 0; i < N; i++) waitpid(pids[i], NULL, 0);
	return 0;
}
