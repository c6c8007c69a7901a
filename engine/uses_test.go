package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ipcrun/engine/event"
)

// program writes a program and returns a name by which a scenario can run it.
func program(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

const asks = `
import os, sys, json, mmap, struct
from multiprocessing.connection import Connection
steps = Connection(int(os.environ["IPCRUN"]))
def step(**k):
    steps.send_bytes(json.dumps(k).encode())
    return json.loads(steps.recv_bytes())
`

// TestProgramUsesPrimitives: descriptors of its own, memory with the C layout,
// and steps that are done in its name.
func TestProgramUsesPrimitives(t *testing.T) {
	p := program(t, "worker.py", asks+`
phone = Connection(int(os.environ["IPCRUN_phone_b"]))
print(step(get="jobs", timeout="100s"))
print(step(get="jobs", block=False)["error"])
print(json.loads(phone.recv_bytes()))
phone.send_bytes(json.dumps("hi").encode())
print(step(acquire="gate[1]"))
total = mmap.mmap(int(os.environ["IPCRUN_total"]), 4)
print(struct.unpack("i", total[:4]))
total[:4] = struct.pack("i", 42)
print(step(read="row[1:3]"), step(release="gate[1]"))
for bad in [{"foo": "total"}, {"put": "jobs"}, {"read": "row[1"}, {"acquire": "gate"}, {"acquire": "gate[2]"}, {"acquire": "other"},
            {"get": "jobs", "timeout": 2}, {"get": "jobs", "blok": False}, {"read": "total", "timeout": "1s"}]:
    print(step(**bad)["detail"])
`)
	o := programPasses(t, fmt.Sprintf(`
name: a program at the other end
primitives:
  jobs: {queue: 3}
  gate[2]: lock
  other: lock
  total: {value: i, initial: 5}
  row: {array: i, initial: [1, 2, 3, 4]}
  phone: pipe
processes:
  worker: {run: [%s, %s], uses: [jobs, gate, total, row, phone.b], terminal: false}
  boss:
    steps:
      - {put: jobs, value: [1, two]}
      - {acquire: "gate[1]"}
      - {acquire: other}
      - {send: phone.a, value: {x: 1}}
      - {recv: phone.a, into: said}
      - print: ${said}
      - {release: "gate[1]"}
steps:
  - {expect: hi, from: boss}
  - wait: worker
  - assert: worker.exit_code == 0 && total.value == 42 && !gate[1].locked
`, python(t), p))
	o.wantPrinted("worker",
		`{'result': [1, 'two']}`, `Empty`, `{'x': 1}`, `{'result': True}`, `(5,)`, `{'result': [2, 3]} {'result': None}`,
		`no verb in it: one key is a verb, and its value the name of a primitive, as {"acquire": "gate"}`,
		`put needs "value"`, `"row[1" has a [ without a ]`, `"gate" is 2 of them: say which, as gate[0]`,
		`"gate[2]" is none of them: they go from 0 to 1`, `other is not among what the process uses: and asks for`,
		`"" is no duration: write a number and a unit, as 500ms or 2s`, `get has no parameter "blok"; it has block, timeout`,
		`read never waits, so a timeout means nothing`)
	var ops []string
	for _, e := range o.of(event.Op, "worker") {
		ops = append(ops, e.Verb+" "+e.Object)
	}
	if got := strings.Join(ops, ", "); got != "get jobs, acquire gate[1], read row, release gate[1]" {
		t.Errorf("in its name: %s", got)
	}
}

// TestProgramIsKilledWhileItWaits: what it asked for is not done after its end,
// and what it holds stays held.
func TestProgramIsKilledWhileItWaits(t *testing.T) {
	p := program(t, "waiter.py", asks+`
step(acquire="mine")
print("asking", flush=True)
step(get="jobs")
print("never")
`)
	programPasses(t, fmt.Sprintf(`
name: killed while it waits
primitives: {jobs: queue, mine: lock}
processes:
  waiter: {run: [%s, %s], uses: [jobs, mine]}
  boss: idle
steps:
  - {expect: asking, from: waiter}
  - eventually: waiter.blocked_on == "jobs"
  - {kill: waiter, signal: SIGKILL}
  - wait: waiter
  - {in: boss, put: jobs, value: 1}
  - {in: boss, acquire: mine, block: false, error: WouldBlock}
  - assert: jobs.size == 1 && mine.holder == "waiter" && waiter.exit_signal == "SIGKILL"
`, python(t), p))
}

// TestShellAsks: lines do where four bytes of length are a burden.
func TestShellAsks(t *testing.T) {
	p := program(t, "asks.sh", `
eval "exec 9<&$IPCRUN 8>&$IPCRUN"
echo '{"get": "jobs"}' >&8
read -r answer <&9
echo "$answer"
`)
	o := programPasses(t, fmt.Sprintf(`
name: a shell asks
primitives: {jobs: queue}
processes:
  sh: {run: [bash, %s], uses: [jobs]}
  boss: [{put: jobs, value: three}]
steps:
  - wait: sh
  - assert: sh.exit_code == 0
`, p))
	o.wantPrinted("sh", `{"result":"three"}`)
}
