package engine_test

import (
	"fmt"
	"testing"
)

// leaderless is a program whose child, or with an argument the program itself, goes
// on in a second thread after its main thread has left.
const leaderless = `
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_t first;

static void handler(int s) { if (write(1, "handles\n", 8) < 0) _exit(1); }

static void *goes_on(void *arg) {
	pthread_join(first, 0);
	puts("alone");
	fflush(stdout);
	while (1) pause();
	return 0;
}

static void leave(void) {
	pthread_t second;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	first = pthread_self();
	signal(SIGUSR1, handler);
	pthread_sigmask(SIG_BLOCK, &set, 0);
	pthread_create(&second, 0, goes_on, 0);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, 0);
	pthread_exit(0);
}

int main(int argc, char **argv) {
	int status;
	pid_t child;
	if (argc > 1)
		leave();
	if (!(child = fork()))
		leave();
	waitpid(child, &status, 0);
	printf("ended by %d\n", WTERMSIG(status));
	return 0;
}
`

// TestMainThreadHasLeft: a process lives as long as one of its threads does, and its
// facts are those of the thread that lives.
func TestMainThreadHasLeft(t *testing.T) {
	bin := compiled(t, "leaderless", leaderless)
	for _, observe := range []string{"false", "true"} {
		t.Run("observe "+observe, func(t *testing.T) {
			runProgram(t, fmt.Sprintf(`
name: x
processes:
  x: {run: [%s], observe: %s}
  y: {parent: x}
steps:
  - {expect: alone, from: y}
  - eventually: y.state == "blocked" and y.blocked_on == "signal"
  - assert: y.catches == ["SIGUSR1"] and y.blocks == ["SIGUSR2"]
  - assert: len(y.argv) == 1 and y.fds == 3 and y.exit_code == nil
  - assert: x.children == ["y"] and x.blocked_on == "y"
  - no_zombies
  - {kill: y, signal: SIGUSR1}
  - {expect: handles, from: y}
  - {kill: y, signal: SIGSTOP}
  - eventually: y.state == "stopped"
  - {kill: y, signal: SIGCONT}
  - eventually: y.state == "blocked"
  - {kill: y, signal: SIGKILL}
  - {expect: ended by 9, from: x}
  - wait: x
`, bin, observe)).mustPass()
		})
	}
	runProgram(t, fmt.Sprintf(`
name: x
processes:
  x: {run: [%s, itself]}
steps:
  - {expect: alone, from: x}
  - eventually: x.state == "blocked" and x.blocked_on == "signal"
  - {kill: x, signal: SIGTERM}
  - wait: x
  - assert: x.exit_signal == "SIGTERM"
`, bin)).mustPass()
}
