// Who has to wait sleeps for a moment and asks again.
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLACES 3

static struct shared {
	sem_t free, full;
	int items[PLACES];
} *b;

static sigset_t orders;

static int ordered(void) {
	int s;
	return sigwait(&orders, &s) == 0 && s == SIGUSR1;
}

static void take(sem_t *s) {
	while (sem_trywait(s) < 0) usleep(10000);
}

static int consumer(void) {
	for (int n = 0; ordered(); n++) {
		take(&b->full);
		int item = b->items[n % PLACES];
		sem_post(&b->free);
		printf("got %d\n", item);
		fflush(stdout);
	}
	return 0;
}

int main(void) {
	b = mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (b == MAP_FAILED) return 1;
	sem_init(&b->free, 1, PLACES);
	sem_init(&b->full, 1, 0);
	sigemptyset(&orders);
	sigaddset(&orders, SIGUSR1);
	sigaddset(&orders, SIGTERM);
	sigprocmask(SIG_BLOCK, &orders, NULL);
	pid_t pid = fork();
	if (pid < 0) return 1;
	if (pid == 0) return consumer();
	for (int n = 0; ordered(); n++) {
		take(&b->free);
		b->items[n % PLACES] = n + 1;
		sem_post(&b->full);
		printf("put %d\n", n + 1);
		fflush(stdout);
	}
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	return 0;
}
