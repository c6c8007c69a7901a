// The conductor sleeps for a moment, again and again.
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile pid_t driver;
static volatile pid_t child;

// write may be called in a handler, printf may not.
static void say(const char *text) {
	if (write(STDOUT_FILENO, text, strlen(text)) < 0) _exit(1);
}

static void on_usr1(int s) { (void)s; say("老司机开车了\n"); }
static void on_usr2(int s) { (void)s; say("系好安全带，小心甩出去\n"); }
static void on_tstp(int s) { (void)s; kill(child, SIGUSR1); }

static void on_int(int s) { (void)s; kill(driver, SIGUSR1); }
static void on_quit(int s) { (void)s; kill(driver, SIGUSR2); }
static void get_off(int s) { (void)s; say("到站了，下车吧\n"); _exit(0); }

static void handle(int s, void (*f)(int)) {
	struct sigaction a;
	memset(&a, 0, sizeof a);
	a.sa_handler = f;
	a.sa_flags = SA_RESTART; // so that waitpid goes on
	sigaction(s, &a, NULL);
}

static void conductor(void) {
	driver = getppid();
	handle(SIGTSTP, SIG_IGN);
	handle(SIGINT, on_int);
	handle(SIGQUIT, on_quit);
	handle(SIGUSR1, get_off);
	for (;;) usleep(10000);
}

int main(void) {
	// Before the fork, so that no key comes too early for the driver.
	handle(SIGINT, SIG_IGN);
	handle(SIGQUIT, SIG_IGN);
	handle(SIGUSR1, on_usr1);
	handle(SIGUSR2, on_usr2);
	handle(SIGTSTP, on_tstp);
	pid_t pid = fork();
	if (pid < 0) return 1;
	if (pid == 0) conductor();
	child = pid;
	waitpid(pid, NULL, 0);
	return 0;
}
