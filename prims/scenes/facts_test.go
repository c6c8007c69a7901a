//go:build linux

package scenes

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/engine/plan"
	"ipcrun/prims"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// What each primitive must do according to others stands in tables, one file
// for each kind, and one each for signals and processes: testdata/facts/*.txt.
// A row is a fact, where it comes from, and a scenario that shows it:
//
//	--- a lock may be released by another process
//	source: multiprocessing, Lock.release
//	- {in: a, acquire: x}
//	- {in: b, release: x}
//	- assert: not x.locked
//
// A row that begins with a step is the script of the scenario at the head of
// its table, without the idle processes there that it does not name, to whom
// nothing would be said; the first one always stays. Any other row is a scenario
// of its own, without its name. took(a)
// stands for the time between the lines begin and end that process a prints.
//
// A row that shows a mistake that is refused when the file is loaded says with
// what words, in which line ("# here"), and how the mistake is mended:
//
//	refused: cannot be handled
//	mended: SIGKILL => SIGTERM
//
// A fact is proved only if the row could fail. So each row is run once as it
// stands, and then once for each of its checks with that check inverted: then
// it has to fail. What can be inverted are assert, always, error: and outcome:.
// The suite inverts one check of every twelfth row, drawn anew each time: some forty
// runs, since that is to notice an inversion or an engine by which nothing fails
// any more. With IPCRUN_TEST_LONG, which .ci/long sets, all checks are inverted.

// fact is a row of a table.
type fact struct {
	table, name, source string
	line                int // of its heading
	body                string
	refused             string
	from, to            string // what mends it
}

const factsDir = "testdata/facts"

// tables reads all tables.
func tables(t *testing.T) map[string][]fact {
	t.Helper()
	out := map[string][]fact{}
	for name, text := range texts(t, factsDir) {
		rows, err := parseFacts(name, text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = rows
	}
	return out
}

var tookCall = regexp.MustCompile(`took\((\w+)\)`)

// oneMoreIdle is an idle process in the list of a head, behind the first.
var oneMoreIdle = regexp.MustCompile(`, (\w+): idle\b`)

// headFor is the head of a table for a script, without the idle processes
// behind the first that neither the script nor the head itself names.
func headFor(head, script string) string {
	return oneMoreIdle.ReplaceAllStringFunc(head, func(entry string) string {
		name := regexp.MustCompile(`\b` + oneMoreIdle.FindStringSubmatch(entry)[1] + `\b`)
		if name.MatchString(strings.Replace(head, entry, "", 1) + script) {
			return entry
		}
		return ""
	})
}

// parseFacts reads a table.
func parseFacts(table, text string) (rows []fact, err error) {
	var head strings.Builder
	var r *fact
	var body []string
	end := func() error {
		if r == nil {
			return nil
		}
		for len(body) > 0 {
			key, value, _ := strings.Cut(body[0], ": ")
			switch key {
			case "source":
				r.source = strings.TrimSpace(value)
			case "refused":
				r.refused = value
			case "mended":
				var ok bool
				if r.from, r.to, ok = strings.Cut(value, " => "); !ok {
					return fmt.Errorf("line %d: mended: needs FROM => TO", r.line)
				}
			default:
				key = ""
			}
			if key == "" {
				break
			}
			body = body[1:]
		}
		r.body = strings.Join(body, "\n") + "\n"
		if strings.HasPrefix(r.body, "- ") {
			r.body = headFor(head.String(), r.body) + "steps:\n" + r.body
		}
		r.body = tookCall.ReplaceAllString(r.body, `(findLast(events("$1"), .value == "end").at - findLast(events("$1"), .value == "begin").at)`)
		switch {
		case r.source == "":
			return fmt.Errorf("line %d: %q has no source", r.line, r.name)
		case strings.TrimSpace(strings.Join(body, "")) == "":
			return fmt.Errorf("line %d: %q has no scenario", r.line, r.name)
		case (r.refused == "") != (r.from == ""):
			return fmt.Errorf("line %d: refused: and mended: belong together", r.line)
		}
		rows = append(rows, *r)
		body = nil
		return nil
	}
	for n, line := range strings.Split(text, "\n") {
		name, heading := strings.CutPrefix(line, "--- ")
		switch {
		case heading:
			if err := end(); err != nil {
				return nil, err
			}
			r = &fact{table: table, name: name, line: n + 1}
		case r == nil:
			if !strings.HasPrefix(line, "#") {
				head.WriteString(line + "\n")
			}
		case strings.TrimSpace(line) != "":
			body = append(body, line)
		}
	}
	return rows, end()
}

// text is the row as a file.
func (f *fact) text(body string) string {
	return "name: " + strconv.Quote(f.name) + "\n" + body
}

// The checks that can be inverted. An assert stands in a line of its own, or
// closes a step in braces.
var (
	assertion = regexp.MustCompile(`(?m)^(\s*- assert: )(.+)$`)
	inBraces  = regexp.MustCompile(`(\{assert: )('[^']*'|"[^"]*"|[^{}'"]+)(\})`)
	invariant = regexp.MustCompile(`(?m)^(always: \[)'([^']+)'(\])$`)
	failure   = regexp.MustCompile(`, error: \w+`)
	ending    = regexp.MustCompile(`(?m)^outcome: \w+\n`)
)

// inverted are the row's scenarios with one check of it inverted in each.
func (f *fact) inverted() (out []string) {
	each := func(re *regexp.Regexp, with func(groups []string) string) {
		for _, at := range re.FindAllStringSubmatchIndex(f.body, -1) {
			var groups []string
			for i := 0; i < len(at); i += 2 {
				groups = append(groups, f.body[at[i]:at[i+1]])
			}
			out = append(out, f.body[:at[0]]+with(groups)+f.body[at[1]:])
		}
	}
	not := func(expr string) string {
		expr = strings.TrimSpace(expr)
		if strings.HasPrefix(expr, "'") || strings.HasPrefix(expr, `"`) {
			quote := expr[:1]
			if last := strings.LastIndex(expr, quote); last > 0 {
				return quote + "not (" + expr[1:last] + ")" + quote
			}
		}
		return "not (" + expr + ")"
	}
	each(assertion, func(g []string) string { return g[1] + not(g[2]) })
	each(inBraces, func(g []string) string { return g[1] + not(g[2]) + g[3] })
	each(invariant, func(g []string) string { return g[1] + "'" + not(g[2]) + "'" + g[3] })
	each(failure, func([]string) string { return "" })
	each(ending, func([]string) string { return "" })
	return out
}

// written is how many checks stand in the row: each of them has to be one that
// can be inverted.
func (f *fact) written() (n int) {
	for _, key := range []string{"assert: ", "always: ", "error: ", "outcome: "} {
		n += strings.Count(f.body, key)
	}
	return n
}

// loadFact loads a scenario; its diagnostics are in l.
func loadFact(text string) (*spec.Scenario, *diag.List) {
	l := &diag.List{}
	return spec.Load(source.New("fact.yaml", []byte(text)), plan.Vocabulary(), spec.Options{}, l), l
}

func shown(l *diag.List) string {
	var b bytes.Buffer
	_ = diag.Write(&b, l.All(), diag.Style{})
	return b.String()
}

func numbered(text string) string {
	var b strings.Builder
	for n, line := range strings.Split(text, "\n") {
		fmt.Fprintf(&b, "%4d  %s\n", n+1, line)
	}
	return b.String()
}

// TestFacts shows every fact, and that the row which shows it could fail.
func TestFacts(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	e, err := engine.New(patientOptions)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	all := tables(t)
	for name, rows := range all {
		t.Run(name, func(t *testing.T) {
			for _, f := range rows {
				t.Run(f.name, func(t *testing.T) {
					t.Parallel()
					f.prove(t, e)
				})
			}
		})
	}
}

func (f *fact) prove(t *testing.T, e *engine.Engine) {
	at := fmt.Sprintf("%s/%s.txt:%d", factsDir, f.table, f.line)
	if f.refused != "" {
		f.proveRefused(t, at)
		return
	}
	run := func(body string) *engine.Result {
		text := f.text(body)
		sc, l := loadFact(text)
		if sc == nil {
			t.Fatalf("%s: it does not load:\n%s\n%s", at, shown(l), numbered(text))
		}
		res, err := e.Run(context.Background(), sc)
		if err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		return res
	}
	log := func(res *engine.Result) string {
		var b bytes.Buffer
		_ = event.WriteAll(&b, res.Events)
		return b.String()
	}
	res := run(f.body)
	if res.Verdict.Result == event.Skip {
		t.Skipf("%s: %s", at, res.Events[res.Verdict.Cause].Detail)
	}
	if res.Verdict.Result != event.Pass {
		t.Fatalf("%s: %s (%s); source: %s\n%s\n%s", at, res.Verdict.Result, res.Verdict.Ending, f.source, numbered(f.text(f.body)), log(res))
	}
	wrong := f.inverted()
	if len(wrong) == 0 {
		t.Fatalf("%s: nothing in it could fail: it has no assert, no error: and no outcome:", at)
	}
	if n := f.written(); n != len(wrong) {
		t.Fatalf("%s: %d checks stand in it, and %d can be inverted: see how they are to be written", at, n, len(wrong))
	}
	if os.Getenv("IPCRUN_TEST_LONG") == "" {
		// Each row takes its turn sooner or later, and each of its checks.
		if rand.IntN(12) > 0 {
			return
		}
		i := rand.IntN(len(wrong))
		wrong = wrong[i : i+1]
	}
	for _, body := range wrong {
		// Some errors are foreseen when the file is loaded.
		if sc, l := loadFact(f.text(body)); sc == nil && strings.Contains(shown(l), "or say error:") {
			continue
		}
		if res := run(body); res.Verdict.Result != event.Failed {
			t.Errorf("%s: with a check inverted it should fail, and it is %s (%s)\n%s\n%s", at, res.Verdict.Result, res.Verdict.Ending, numbered(f.text(body)), log(res))
		}
	}
}

// proveRefused: the mistake is refused where it stands, and only the mistake.
func (f *fact) proveRefused(t *testing.T, at string) {
	text := f.text(f.body)
	line := 0
	for n, l := range strings.Split(text, "\n") {
		if strings.HasSuffix(l, "# here") {
			line = n + 1
		}
	}
	_, l := loadFact(text)
	found := slices.ContainsFunc(l.All(), func(d *diag.Diagnostic) bool {
		return regexp.MustCompile(f.refused).MatchString(d.Summary+" "+d.Detail) && d.Span.Start.Line == line
	})
	if !found {
		t.Errorf("%s: not refused in line %d with %q, but:\n%s", at, line, f.refused, shown(l))
	}
	if !strings.Contains(text, f.from) {
		t.Fatalf("%s: there is no %q to be mended", at, f.from)
	}
	if sc, l := loadFact(strings.Replace(text, f.from, f.to, 1)); sc == nil {
		t.Errorf("%s: refused for something else, too:\n%s", at, shown(l))
	}
}

// TestFactsAreComplete: every kind has its table, and there are enough rows.
func TestFactsAreComplete(t *testing.T) {
	all := tables(t)
	wanted := []string{"signals", "processes"}
	for _, d := range prims.All() {
		wanted = append(wanted, d.Name)
	}
	for _, name := range wanted {
		if n := len(all[name]); n < 5 {
			t.Errorf("%s has %d facts: %s/%s.txt should say what it must do, with sources, in at least 5 rows (see the beginning of facts_test.go)", name, n, factsDir, name)
		}
	}
	total, checks := 0, 0
	names := map[string]string{}
	for table, rows := range all {
		if !slices.Contains(wanted, table) {
			t.Errorf("%s/%s.txt: there is no such kind", factsDir, table)
		}
		for _, f := range rows {
			total++
			checks += max(1, len(f.inverted()))
			if where := names[table+f.name]; where != "" {
				t.Errorf("%s: %q stands twice", table, f.name)
			}
			names[table+f.name] = table
		}
	}
	if total < 150 {
		t.Errorf("%d facts in all, want 150", total)
	}
	t.Logf("%d facts with %d checks", total, checks)
}

// TestFactsAreInverted: the inversion finds the checks of a row.
func TestFactsAreInverted(t *testing.T) {
	rows, err := parseFacts("x", `
primitives: {x: lock}
--- a row
source: me
- {in: a, acquire: x, block: false, error: WouldBlock}
- assert: x.locked
- assert: 'x.holder == "a"'
--- another
source: me
processes: {a: [{assert: true}, {assert: "1 < 2"}]}
outcome: deadlock
always: ['x.locked']
`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows {
		for _, b := range r.inverted() {
			old, now := strings.Split(r.body, "\n"), strings.Split(b, "\n")
			for i := range now {
				if now[i] != old[i] {
					got = append(got, strings.TrimSpace(now[i]))
					break
				}
			}
		}
	}
	want := []string{"- assert: not (x.locked)", `- assert: 'not (x.holder == "a")'`, "- {in: a, acquire: x, block: false}",
		`processes: {a: [{assert: not (true)}, {assert: "1 < 2"}]}`, `processes: {a: [{assert: true}, {assert: "not (1 < 2)"}]}`,
		"always: ['not (x.locked)']", "always: ['x.locked']"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	for _, bad := range []string{"--- no source\n- pause\n", "--- no scenario\nsource: me\n", "--- x\nsource: y\nrefused: z\n- pause\n"} {
		if _, err := parseFacts("x", bad); err == nil {
			t.Errorf("no error in %q", bad)
		}
	}
}

// TestFactsLeaveOut: a script runs without the idle processes that nobody names.
func TestFactsLeaveOut(t *testing.T) {
	const head = "processes: {a: idle, b: {parent: a}, c: idle, d: idle}\n"
	for script, want := range map[string]string{
		"- {in: a, acquire: x}\n":                        "processes: {a: idle, b: {parent: a}}\n",
		"- {in: c, acquire: x}\n":                        "processes: {a: idle, b: {parent: a}, c: idle}\n",
		"- assert: x.waiters == [\"c\"] and d.pid > 0\n": head,
	} {
		if got := headFor(head, script); got != want {
			t.Errorf("%q runs with %q, want %q", script, got, want)
		}
	}
	const named = "processes: {a: idle, c: idle}\ncalls: c\n"
	if got := headFor(named, "- pause\n"); got != named {
		t.Errorf("a process that the head names is left out: %q", got)
	}
}
