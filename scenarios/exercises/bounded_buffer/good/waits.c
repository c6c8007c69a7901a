// A monitor. The handlers take notes, and sigsuspend is the only place where they can
// run; so who waits for the other one waits on a condition.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLACES 3

static struct shared {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int items[PLACES], put, got;
} *b;

static volatile sig_atomic_t orders, over;

static void note(int s) {
	if (s == SIGUSR1) orders++;
	else over = 1;
}

int main(void) {
	b = mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (b == MAP_FAILED) return 1;
	pthread_mutexattr_t m;
	pthread_mutexattr_init(&m);
	pthread_mutexattr_setpshared(&m, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&b->lock, &m);
	pthread_condattr_t c;
	pthread_condattr_init(&c);
	pthread_condattr_setpshared(&c, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&b->changed, &c);
	sigset_t block, open;
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &open);
	signal(SIGUSR1, note);
	signal(SIGTERM, note);
	pid_t consumer = fork();
	if (consumer < 0) return 1;
	for (;;) {
		while (!orders && !over) sigsuspend(&open);
		if (over) break;
		orders--;
		pthread_mutex_lock(&b->lock);
		if (consumer) {
			while (b->put - b->got == PLACES) pthread_cond_wait(&b->changed, &b->lock);
			b->items[b->put % PLACES] = b->put + 1;
			b->put++;
			printf("put %d\n", b->put);
		} else {
			while (b->put == b->got) pthread_cond_wait(&b->changed, &b->lock);
			printf("got %d\n", b->items[b->got++ % PLACES]);
		}
		pthread_cond_broadcast(&b->changed);
		pthread_mutex_unlock(&b->lock);
		fflush(stdout);
	}
	if (consumer) {
		kill(consumer, SIGTERM);
		waitpid(consumer, NULL, 0);
	}
	return 0;
}
