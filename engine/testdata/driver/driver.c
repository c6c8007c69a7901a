/* The driver exercise in C. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t conductor;

static void say(const char *text)
{
	if (write(1, text, strlen(text)) < 0)
		_exit(1);
}

static void on_usr1(int n) { (void)n; say("老司机开车了\n"); }
static void on_usr2(int n) { (void)n; say("系好安全带，小心甩出去\n"); }
static void on_tstp(int n) { (void)n; kill(conductor, SIGUSR1); }
static void on_int(int n) { (void)n; kill(getppid(), SIGUSR1); }
static void on_quit(int n) { (void)n; kill(getppid(), SIGUSR2); }
static void off(int n) { (void)n; say("到站了，下车吧\n"); _exit(0); }

int main(void)
{
	conductor = fork();
	if (conductor == 0) {
		signal(SIGTSTP, SIG_IGN);
		signal(SIGUSR1, off);
		signal(SIGQUIT, on_quit);
		signal(SIGINT, on_int);
		for (;;)
			pause();
	}
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGUSR1, on_usr1);
	signal(SIGUSR2, on_usr2);
	signal(SIGTSTP, on_tstp);
	while (waitpid(conductor, NULL, 0) != conductor)
		;
	say("driver off\n");
	return 0;
}
