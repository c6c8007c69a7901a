//go:build linux

package scenes

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/engine/plan"
	"ipcrun/prims"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// A process that is killed with SIGKILL, whatever it is doing: the others
// behave as documented, the log is complete up to its last step, and nothing is
// left. testdata/killed/*.txt has, for each kind, a scenario for each operation
// that may block ("blocked: put"), for a lock one in which the victim holds it
// ("holding"), and one in which it is in the middle of operations that do not
// block ("busy"). In each of them
//
//	- KILL
//
// kills the process victim: once when it is blocked, and then at random moments
// of its life, from before it is forked to long after. The scenario says what the
// others find then, at whichever moment it was. The victim counts its steps in
// progress: what the log has of it is held against what is in that memory.
//
// IPCRUN_KILLS sets how many random moments are tried for each; .ci/long tries
// hundreds. Where it is not set every other scenario, drawn anew each time, has
// one: some forty moments in all, which come to all scenarios sooner or later.

const killedDir = "testdata/killed"

// kill is one scenario.
type kill struct {
	table, name, body string
	line              int
}

func killTables(t *testing.T) map[string][]kill {
	t.Helper()
	out := map[string][]kill{}
	for table, text := range texts(t, killedDir) {
		parts := strings.Split("\n"+text, "\n--- ")
		line := strings.Count(parts[0], "\n")
		for _, p := range parts[1:] {
			name, body, _ := strings.Cut(p, "\n")
			out[table] = append(out[table], kill{table, name, withHead(parts[0], body), line + 1})
			line += 1 + strings.Count(p, "\n")
		}
	}
	return out
}

// withHead puts the head of a table before a scenario, without the keys that
// the scenario has itself.
func withHead(head, body string) string {
	var b strings.Builder
	drop := false
	for _, l := range strings.Split(head, "\n") {
		if l == "" || l[0] == '#' {
			continue
		}
		if key, _, ok := strings.Cut(l, ":"); ok && l[0] != ' ' {
			drop = strings.Contains("\n"+body, "\n"+key+":")
		}
		if !drop {
			b.WriteString(l + "\n")
		}
	}
	return b.String() + body
}

// text is the scenario as a file.
func (k *kill) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "name: %q\nrace: \"off\"\nparams: {moment: 0, settled: true}\n", k.name)
	for _, l := range strings.Split(k.body, "\n") {
		if strings.TrimSpace(l) != "- KILL" {
			b.WriteString(l + "\n")
			continue
		}
		in := l[:strings.Index(l, "-")]
		until := "progress.value > 0"
		if strings.HasPrefix(k.name, "blocked") {
			until = `progress.value > 0 and victim.blocked_on == "x"`
		}
		for _, s := range []string{
			"{eventually: '" + until + "', when: settled}",
			`{sleep: "${moment}us", when: not settled}`, // the random moment itself, no synchronisation
			"{kill: victim, signal: SIGKILL}",
			"wait: victim",
			`{print: "progress ${progress.value}"}`,
		} {
			b.WriteString(in + "- " + s + "\n")
		}
	}
	return b.String()
}

// load loads the scenario with the moment of the kill, 0 for when the victim is
// blocked.
func (k *kill) load(t *testing.T, moment time.Duration) *spec.Scenario {
	t.Helper()
	l := &diag.List{}
	params := map[string]string{"moment": strconv.FormatInt(moment.Microseconds(), 10), "settled": strconv.FormatBool(moment == 0)}
	sc := spec.Load(source.New("killed.yaml", []byte(k.text())), plan.Vocabulary(), spec.Options{Params: params}, l)
	if sc == nil {
		t.Fatalf("%s/%s.txt:%d does not load:\n%s\n%s", killedDir, k.table, k.line, shown(l), numbered(k.text()))
	}
	return sc
}

// TestKilled kills.
func TestKilled(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	e, err := engine.New(patientOptions)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	moments := func() int { return rand.IntN(2) }
	if n, err := strconv.Atoi(os.Getenv("IPCRUN_KILLS")); err == nil {
		moments = func() int { return n }
	}
	for table, kills := range killTables(t) {
		t.Run(table, func(t *testing.T) {
			for _, k := range kills {
				t.Run(k.name, func(t *testing.T) {
					t.Parallel()
					for i := range moments() + 1 {
						var moment time.Duration
						if i > 0 {
							// Most of them in the first two milliseconds, where everything begins.
							most := []int{500, 2000, 8000}[rand.IntN(3)]
							moment = time.Duration(1+rand.IntN(most)) * time.Microsecond
						}
						k.try(t, e, moment)
					}
				})
			}
		})
	}
}

func (k *kill) try(t *testing.T, e *engine.Engine, moment time.Duration) {
	t.Helper()
	at := fmt.Sprintf("%s/%s.txt:%d, killed after %v", killedDir, k.table, k.line, moment)
	res, err := e.Run(context.Background(), k.load(t, moment))
	if err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	if res.Verdict.Result == event.Skip {
		t.Skip(res.Events[res.Verdict.Cause].Detail)
	}
	log := res.All()
	defer func() {
		if t.Failed() {
			var b bytes.Buffer
			if len(log) > 300 {
				log = log[len(log)-300:]
			}
			_ = event.WriteAll(&b, log)
			t.Fatalf("%s\n%s\n%s", at, numbered(k.text()), b.String())
		}
	}()
	if res.Verdict.Result != event.Pass {
		t.Errorf("%s: %s", res.Verdict.Result, res.Verdict.Ending)
		return
	}
	var ended int64
	steps, printed := uint64(0), -1
	for _, ev := range log {
		switch {
		case ev.Proc == "victim" && ev.Type == event.Ended.String():
			ended = ev.At
			if ev.Status == nil || ev.Status.Signal != "SIGKILL" {
				t.Errorf("the victim %s", ev.Status)
			}
		case ev.Proc == "victim" && ended != 0 && ev.At > ended:
			t.Errorf("the victim does something after its end: %+v", ev)
		case ev.Proc == "victim" && ev.Object == "progress":
			if steps++; ev.Seq != steps {
				t.Errorf("step %d of the victim has the number %d", steps, ev.Seq)
			}
		case ev.Type == event.Print.String() && ev.Proc == "":
			if n, ok := strings.CutPrefix(fmt.Sprint(ev.Value), "progress "); ok {
				printed, _ = strconv.Atoi(n)
			}
		}
	}
	// A step that it was in the middle of has happened and may not be on record.
	missing := printed - int(steps)
	blocked := strings.HasPrefix(k.name, "blocked")
	if printed < 0 || missing < 0 || missing > 1 || moment == 0 && blocked && missing != 0 {
		t.Errorf("the victim took %d steps, the log has %d", printed, steps)
	}
	if ended == 0 {
		t.Error("the log does not say that the victim ended")
	}
}

// TestKillsAreComplete: every operation that may block has its scenario, and
// every lock one in which it is held.
func TestKillsAreComplete(t *testing.T) {
	tables := killTables(t)
	for _, d := range prims.All() {
		var names []string
		for _, k := range tables[d.Name] {
			names = append(names, k.name)
			if !strings.Contains(k.body, "- KILL\n") || !strings.Contains(k.body, "progress: {value: q}") {
				t.Errorf("%s/%s.txt:%d: nobody is killed, or nothing is counted", killedDir, k.table, k.line)
			}
		}
		want := []string{"busy"}
		for _, v := range d.Verbs {
			if v.Waits {
				want = append(want, "blocked: "+v.Name)
			}
		}
		if d.Holders != nil {
			want = append(want, "holding")
		}
		for _, f := range d.Fields {
			if f.Name == "robust" {
				want = append(want, "holding a robust one")
			}
		}
		for _, w := range want {
			if !slices.Contains(names, w) {
				t.Errorf("%s/%s.txt has no scenario %q, in which a process is killed (see killed_test.go)", killedDir, d.Name, w)
			}
		}
	}
}
