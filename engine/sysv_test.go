package engine_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ipcrun/engine/event"
	"ipcrun/prims/sysv"
)

// compiled is a C program, by a name by which a scenario can run it.
func compiled(t *testing.T, name, text string) string {
	t.Helper()
	needs(t, "gcc")
	src := program(t, name+".c", text)
	bin := strings.TrimSuffix(src, ".c")
	if out, err := exec.Command("gcc", "-Wall", "-Werror", "-o", bin, src).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	return bin
}

const sysvHead = `
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
__attribute__((unused)) static key_t key(const char *name) { return (key_t)strtoul(getenv(name), 0, 0); }
static void check(int ok, const char *what) { if (!ok) { perror(what); exit(1); } }
`

// TestQueueWithC: a C program answers 10,000 messages of a declared process
// through a System V queue; each answer is compared.
func TestQueueWithC(t *testing.T) {
	p := compiled(t, "answers", sysvHead+`
struct message { long type; char text[4000]; };
int main(void) {
	int id = msgget(key("IPCRUN_box"), 0);
	check(id >= 0, "msgget");
	check(id == atoi(getenv("IPCRUN_box_id")), "another id");
	struct message m;
	for (;;) {
		ssize_t n = msgrcv(id, &m, sizeof m.text, -2, 0);
		check(n >= 0, "msgrcv");
		if (m.type == 1) return 0;
		for (ssize_t i = 0; i < n; i++) m.text[i]++;
		m.type = 3;
		check(msgsnd(id, &m, n, 0) == 0, "msgsnd");
	}
}`)
	n := 10_000
	passes(t, fmt.Sprintf(`
name: a C program answers
timeout: 400s
primitives: {box: sysv_queue}
processes:
  answers: {run: [%s], uses: [box], terminal: false}
  asks:
    steps:
      - let: {long: '${join(map(1..300, "0123456789"))}', wants: '${join(map(1..300, "123456789:"))}'}
      - repeat: %d
        as: i
        do:
          - {send: box, type: 2, value: "${long[:i %% 3000]}"}
          - {recv: box, type: 3, into: answer}
          - if: answer != wants[:i %% 3000]
            then: [{exit: 5}]
      - {send: box, type: 1, value: ""}
steps:
  - wait: asks
  - wait: answers
  - assert: asks.exit_code == 0 and answers.exit_code == 0 and box.size == 0 and box.receiver == answers.pid
`, p, n))
}

// TestSetWithC: a semaphore set keeps a C program and declared processes apart
// over a segment; the kernel undoes what the program had taken when it aborts.
func TestSetWithC(t *testing.T) {
	p := compiled(t, "adds", sysvHead+`
int main(void) {
	int set = semget(key("IPCRUN_gate"), 0, 0), seg = shmget(key("IPCRUN_total"), 0, 0);
	check(set >= 0, "semget");
	check(seg >= 0, "shmget");
	volatile int *total = shmat(seg, 0, 0);
	check(total != (void *)-1, "shmat");
	struct sembuf take = {1, -1, SEM_UNDO}, give = {1, 1, SEM_UNDO}, zero = {0, 0, 0};
	for (int i = 0; i < 3000; i++) {
		check(semop(set, &take, 1) == 0, "take");
		total[1]++;
		check(semop(set, &give, 1) == 0, "give");
	}
	check(semop(set, &zero, 1) == 0, "zero");
	check(semop(set, &take, 1) == 0, "take");
	puts("taken");
	fflush(stdout);
	pause();
}`)
	res := passes(t, fmt.Sprintf(`
name: a C program and a set
primitives:
  gate: {sysv_semaphore: 2, initial: [1, 1]}
  total: {sysv_memory: i, size: 3}
processes:
  adds: {run: [%s], uses: [gate, total], terminal: false}
  till[2]:
    steps:
      - repeat: 1500
        do:
          - {acquire: "gate[1]", undo: true}
          - {read: "total[1]", into: seen}
          - {write: "total[1]", value: "${seen + 1}"}
          - {release: "gate[1]", undo: true}
      - wait: "gate[0]"
  boss: idle
steps:
  - eventually: total.value[1] == 6000 and gate.zcnt == [3, 0] and total.attached == 3
  - {in: boss, acquire: "gate[0]"}
  - {expect: taken, from: adds}
  - wait: till
  - assert: gate.values == [0, 0] and gate.last[1] == adds.pid
  - {in: boss, acquire: "gate[1]", background: heir}
  - eventually: gate.ncnt == [0, 1]
  - {kill: adds, signal: SIGKILL}
  - await: heir
  - wait: adds
  - assert: gate.values == [0, 0] and adds.exit_signal == "SIGKILL" and total.attached == 0
`, p))
	if got := res.of(event.Raced, ""); len(got) > 0 {
		t.Errorf("%d races", len(got))
	}
}

// TestFtokWithC: the key that ftok makes of a file, for a program that knows
// nothing of ours.
func TestFtokWithC(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keyfile")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := compiled(t, "textbook", sysvHead+`
int main(int argc, char **argv) {
	key_t k = ftok(argv[1], 'A');
	check(k != -1, "ftok");
	int id = msgget(k, 0);
	check(id >= 0, "msgget");
	struct { long type; int n; } m;
	check(msgrcv(id, &m, sizeof m.n, 0, 0) == sizeof m.n, "msgrcv");
	m.type = 2;
	m.n *= 2;
	check(msgsnd(id, &m, sizeof m.n, 0) == 0, "msgsnd");
	check(msgctl(id, IPC_RMID, 0) == 0, "msgctl");
	return 0;
}`)
	passes(t, fmt.Sprintf(`
name: a textbook's program
primitives: {box: {sysv_queue: i, key: {path: %s, id: A}}}
processes:
  textbook: {run: [%s, %s], uses: [box], terminal: false}
  us: {steps: [{send: box, value: 21}]}
steps:
  - wait: us
  - wait: textbook
  - assert: textbook.exit_code == 0 and box.removed
`, path, p, path))
}

// TestKeyOfAnother: an object that was there before is named, with the way to
// remove it, and left alone.
func TestKeyOfAnother(t *testing.T) {
	for f, kind := range map[sysv.Family]string{sysv.Queue: "sysv_queue", sysv.Set: "sysv_semaphore", sysv.Segment: "sysv_memory: i, size: 1"} {
		id, err := f.Create(int32(testKey()), 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Open(id, 0o600); err != nil {
			t.Fatal(err)
		}
		res := run(t, fmt.Sprintf("name: taken\nprimitives: {x: {%s, key: 0x%x}}\nprocesses: {a: idle}\nsteps: [assert: not x.removed]\n", kind, testKey()))
		res.decided(event.Error, "error", 0, regexp.QuoteMeta(fmt.Sprintf("x: there is a %s with the key 0x%x already (id %d, of user %d)", f, testKey(), id, os.Geteuid())))
		if now, _, ok := f.Listed(int32(testKey())); !ok || now != id {
			t.Errorf("%s %d has become %d, %v", f, id, now, ok)
		}
		if err := f.Remove(id); err != nil {
			t.Error(err)
		}
	}
}

// TestSetDeadlock: who took what is part of the explanation, and the cycle is
// found.
func TestSetDeadlock(t *testing.T) {
	res := passes(t, `
name: opposite order
outcome: deadlock
primitives: {fork: {sysv_semaphore: 2, initial: 1}, both: {barrier: 2}}
processes:
  a: {steps: [{acquire: "fork[0]"}, {wait: both}, {acquire: "fork[1]"}]}
  b: {steps: [{acquire: "fork[1]"}, {wait: both}, {acquire: "fork[0]"}]}
`)
	found := res.of(event.Deadlock, "")
	if len(found) != 1 || found[0].Stuck == nil || len(found[0].Stuck.Cycle) != 2 {
		t.Fatalf("%+v", found)
	}
	for _, w := range found[0].Stuck.Waits {
		want := map[string]string{"a": "fork[1], which is 0 since somebody took from it (b)", "b": "fork[0], which is 0 since somebody took from it (a)"}[w.Proc]
		if !strings.Contains(w.Why, want) {
			t.Errorf("%s: %s, want %s", w.Proc, w.Why, want)
		}
	}
}
