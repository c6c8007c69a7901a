// A parent that stops its child, sees it stopped, continues it, sees that too, stops
// it once more and kills it where it stands. Then job control: a child with a
// handler for SIGTSTP that stops itself after tidying up, as editors do.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void tidy(int sig) {
	signal(sig, SIG_DFL);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, sig);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL); // stops here
	signal(sig, tidy);
}

#define MUST(x) do { if (!(x)) { fprintf(stderr, "line %d\n", __LINE__); return 90; } } while (0)

int main(void) {
	int status;
	pid_t pid = fork();
	if (pid == 0)
		for (;;) pause();
	MUST(kill(pid, SIGSTOP) == 0);
	MUST(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	char state = 0, path[64];
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	FILE *f = fopen(path, "r");
	MUST(f && fscanf(f, "%*d %*s %c", &state) == 1);
	fclose(f);
	printf("state %c\n", state);
	MUST(kill(pid, SIGCONT) == 0);
	MUST(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
	MUST(kill(pid, SIGSTOP) == 0);
	MUST(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	MUST(kill(pid, SIGKILL) == 0);
	MUST(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

	int p[2];
	MUST(pipe(p) == 0);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		signal(SIGTSTP, tidy);
		if (write(p[1], "r", 1) != 1) _exit(1);
		pause(); // ends with EINTR after the handler
		_exit(7);
	}
	char c;
	MUST(read(p[0], &c, 1) == 1);
	MUST(kill(pid, SIGTSTP) == 0);
	MUST(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
	MUST(kill(pid, SIGTERM) == 0); // stays pending: a stopped process does not die of it
	MUST(waitpid(pid, &status, WUNTRACED | WNOHANG) == 0);
	MUST(kill(pid, SIGCONT) == 0);
	MUST(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	return 0;
}
