// The dog has the worker end itself, and is gone before that has happened.
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile pid_t child;
static volatile pid_t dog;

static void say(const char *text) {
	if (write(STDOUT_FILENO, text, strlen(text)) < 0) _exit(2);
}

static void show_life(int s) { (void)s; kill(dog, SIGUSR1); }

static void end_soon(int s) {
	(void)s;
	while (getppid() == dog) usleep(10000);
	sleep(1);
	kill(getpid(), SIGKILL);
}

static void worker(void) {
	dog = getppid();
	signal(SIGUSR1, show_life);
	signal(SIGUSR2, end_soon);
	for (;;) pause();
}

static void alive(int s) {
	(void)s;
	alarm(5); // in place of the one before
	say("alive\n");
}

static void late(int s) {
	(void)s;
	kill(child, SIGUSR2);
	say("killed\n");
	_exit(1);
}

int main(void) {
	// Before the fork, so that no sign of life comes too early.
	signal(SIGUSR1, alive);
	signal(SIGALRM, late);
	pid_t pid = fork();
	if (pid < 0) return 2;
	if (pid == 0) worker();
	child = pid;
	alarm(5);
	for (;;) pause();
}
