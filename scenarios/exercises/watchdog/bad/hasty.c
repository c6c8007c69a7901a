// The alarm goes off after one second.
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile pid_t child;
static volatile pid_t dog;

static void say(const char *text) {
	if (write(STDOUT_FILENO, text, strlen(text)) < 0) _exit(2);
}

static void show_life(int s) { (void)s; kill(dog, SIGUSR1); }

static void worker(void) {
	dog = getppid();
	signal(SIGUSR1, show_life);
	for (;;) pause();
}

static void alive(int s) {
	(void)s;
	alarm(5); // in place of the one before
	say("alive\n");
}

static void late(int s) {
	(void)s;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
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
	alarm(1);
	for (;;) pause();
}
