// There is one reader.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_rwlock_t *room;
static sigset_t orders;

static void say(const char *text) {
	puts(text);
	fflush(stdout);
}

static void serve(int (*come_in)(pthread_rwlock_t *)) {
	int order;
	while (sigwait(&orders, &order) == 0 && order != SIGTERM) {
		if (order == SIGUSR1) {
			come_in(room);
			say("in");
		} else {
			pthread_rwlock_unlock(room);
			say("out");
		}
	}
}

int main(void) {
	room = mmap(NULL, sizeof *room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED) return 1;
	pthread_rwlockattr_t a;
	pthread_rwlockattr_init(&a);
	pthread_rwlockattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_rwlock_init(room, &a);
	sigemptyset(&orders);
	sigaddset(&orders, SIGUSR1);
	sigaddset(&orders, SIGUSR2);
	sigaddset(&orders, SIGTERM);
	sigprocmask(SIG_BLOCK, &orders, NULL);
	pid_t readers[2];
	for (int i = 0; i < 1; i++) {
		readers[i] = fork();
		if (readers[i] < 0) return 1;
		if (readers[i] == 0) {
			serve(pthread_rwlock_rdlock);
			return 0;
		}
	}
	serve(pthread_rwlock_wrlock);
	for (int i = 0; i < 1; i++) kill(readers[i], SIGTERM);
	for (int i = 0; i < 1; i++) waitpid(readers[i], NULL, 0);
	return 0;
}
