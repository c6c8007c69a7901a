// What a process is to pay no attention to it has blocked.
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile pid_t driver, child;

static void say(const char *text) {
	if (write(STDOUT_FILENO, text, strlen(text)) < 0) _exit(1);
}

static void drive(int s) {
	if (s == SIGUSR1) say("老司机开车了\n");
	if (s == SIGUSR2) say("系好安全带，小心甩出去\n");
	if (s == SIGTSTP) kill(child, SIGUSR1);
}

static void conduct(int s) {
	if (s == SIGINT) kill(driver, SIGUSR1);
	if (s == SIGQUIT) kill(driver, SIGUSR2);
	if (s != SIGUSR1) return;
	say("到站了，下车吧\n");
	_exit(0);
}

static void handle(int s, void (*f)(int)) {
	struct sigaction a;
	memset(&a, 0, sizeof a);
	a.sa_handler = f;
	a.sa_flags = SA_RESTART;
	sigaction(s, &a, NULL);
}

static void block(int first, int second) {
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, first);
	sigaddset(&set, second);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

int main(void) {
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	driver = getpid();
	child = fork();
	if (child < 0) return 1;
	if (child == 0) {
		handle(SIGINT, conduct);
		handle(SIGQUIT, conduct);
		handle(SIGUSR1, conduct);
		block(SIGTSTP, SIGUSR2);
		for (;;) pause();
	}
	handle(SIGUSR1, drive);
	handle(SIGUSR2, drive);
	handle(SIGTSTP, drive);
	block(SIGINT, SIGQUIT);
	waitpid(child, NULL, 0);
	return 0;
}
