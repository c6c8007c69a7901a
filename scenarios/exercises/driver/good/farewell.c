// With stdio, which is safe here since the handlers only take notes, and a farewell.
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t slow, fast, stop;
static volatile pid_t driver;

static void note(int s) {
	if (s == SIGUSR1) slow++;
	if (s == SIGUSR2) fast++;
	if (s == SIGTSTP) stop++;
}

static void forward(int s) { kill(driver, s == SIGINT ? SIGUSR1 : SIGUSR2); }

int main(void) {
	// Blocked but while it waits, so that no signal comes between look and wait.
	sigset_t all, none;
	sigfillset(&all);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGUSR1, note);
	signal(SIGUSR2, note);
	signal(SIGTSTP, note);
	signal(SIGCHLD, note);
	driver = getpid();
	pid_t child = fork();
	if (child < 0) return 1;
	if (child == 0) {
		signal(SIGTSTP, SIG_IGN);
		signal(SIGINT, forward);
		signal(SIGQUIT, forward);
		while (!slow) sigsuspend(&none);
		puts("到站了，下车吧");
		return 0;
	}
	while (waitpid(child, NULL, WNOHANG) == 0) {
		for (; slow; slow--) puts("老司机开车了");
		for (; fast; fast--) puts("系好安全带，小心甩出去");
		fflush(stdout);
		for (; stop; stop--) kill(child, SIGUSR1);
		sigsuspend(&none);
	}
	puts("driver off");
	return 0;
}
