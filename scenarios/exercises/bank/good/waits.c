// All in handlers; the bank sleeps in wait, and the lock is a byte in a pipe. It says
// more than it is asked to.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int lock[2], seen;
static int *balance;
static pid_t teller[2];

static void look(int s) {
	char c;
	(void)s;
	dprintf(STDERR_FILENO, "a customer\n");
	while (read(lock[0], &c, 1) != 1) {}
	seen = *balance;
	dprintf(STDOUT_FILENO, "sees %d\n", seen);
}

static void deposit(int s) {
	(void)s;
	*balance = seen + 10;
	dprintf(STDOUT_FILENO, "writes %d\n", *balance);
	if (write(lock[1], "", 1) < 0) _exit(1);
}

static void leave(int s) { (void)s; _exit(0); }

static void shut(int s) {
	(void)s;
	for (int i = 0; i < 2; i++) kill(teller[i], SIGTERM);
}

static void handle(int s, void (*f)(int)) {
	struct sigaction a;
	memset(&a, 0, sizeof a);
	a.sa_handler = f;
	a.sa_flags = SA_RESTART;
	sigaction(s, &a, NULL);
}

int main(void) {
	balance = mmap(NULL, sizeof *balance, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (balance == MAP_FAILED || pipe(lock) < 0 || write(lock[1], "", 1) < 0) return 1;
	*balance = 100;
	for (int i = 0; i < 2; i++) {
		teller[i] = fork();
		if (teller[i] < 0) return 1;
		if (teller[i] == 0) {
			handle(SIGUSR1, look);
			handle(SIGUSR2, deposit);
			handle(SIGTERM, leave);
			for (;;) pause();
		}
	}
	handle(SIGTERM, shut);
	for (int left = 2; left > 0; left--)
		if (wait(NULL) < 0) return 1;
	printf("balance %d\n", *balance);
	return 0;
}
