// Who has to wait sleeps for a moment and asks again.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct shared {
	pthread_mutex_t gate;
	int balance;
} *account;

static sigset_t orders;

static void say(const char *what, int amount) {
	printf("%s %d\n", what, amount);
	fflush(stdout);
}

static int teller(void) {
	int seen = 0, order;
	while (sigwait(&orders, &order) == 0 && order != SIGTERM) {
		if (order == SIGUSR1) {
			while (pthread_mutex_trylock(&account->gate) != 0) usleep(10000);
			seen = account->balance;
			say("sees", seen);
		} else {
			account->balance = seen + 10;
			say("writes", seen + 10);
			pthread_mutex_unlock(&account->gate);
		}
	}
	return 0;
}

int main(void) {
	account = mmap(NULL, sizeof *account, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (account == MAP_FAILED) return 1;
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&account->gate, &a);
	account->balance = 100;
	sigemptyset(&orders);
	sigaddset(&orders, SIGUSR1);
	sigaddset(&orders, SIGUSR2);
	sigaddset(&orders, SIGTERM);
	sigprocmask(SIG_BLOCK, &orders, NULL);
	pid_t tellers[2];
	for (int i = 0; i < 2; i++) {
		tellers[i] = fork();
		if (tellers[i] < 0) return 1;
		if (tellers[i] == 0) return teller();
	}
	int order;
	while (sigwait(&orders, &order) == 0 && order != SIGTERM) {}
	for (int i = 0; i < 2; i++) kill(tellers[i], SIGTERM);
	for (int i = 0; i < 2; i++) waitpid(tellers[i], NULL, 0);
	say("balance", account->balance);
	return 0;
}
