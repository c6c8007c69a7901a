package engine_test

import (
	"fmt"
	"testing"
)

// lingers prints in its handlers and stays in them for a while, as print() of Python
// does; a signal that comes meanwhile is told.
const lingers = `
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t inside;

static void handler(int n) {
	const char *line = inside ? "met inside\n" : n == SIGUSR1 ? "one\n" : "two\n";
	inside = 1;
	write(1, line, strlen(line));
	clock_t start = clock();
	while (clock() - start < CLOCKS_PER_SEC / 50)
		;
	inside = 0;
}

int main(void) {
	signal(SIGUSR1, handler);
	signal(SIGUSR2, handler);
	write(1, "ready\n", 6);
	for (;;)
		pause();
}
`

// TestSignalAfterALine: a signal that follows a line does not meet its writer in the
// middle of saying it.
func TestSignalAfterALine(t *testing.T) {
	for _, observe := range []bool{true, false} {
		programPasses(t, fmt.Sprintf(`
name: one after the other
processes:
  p: {run: [%s], observe: %v}
steps:
  - {expect: ready, from: p}
  - repeat: 5
    do:
      - {kill: p, signal: SIGUSR1}
      - {expect: one, from: p}
      - {kill: p, signal: SIGUSR2}
      - {expect: two, from: p}
  - assert: 'none(p.lines, # contains "inside")'
  - {kill: p, signal: SIGTERM}
  - wait: p
`, compiled(t, "lingers", lingers), observe))
	}
}
