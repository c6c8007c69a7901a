package engine_test

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"ipcrun/engine/event"
)

func tillsFile(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("../scenarios/tills.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// runs is how often a statistical test runs its scenario.
func runs(usually, long int) int {
	switch {
	case os.Getenv("IPCRUN_TEST_LONG") != "":
		return long
	case testing.Short():
		return max(usually/10, 3)
	}
	return usually
}

// TestTillsLocked: with the lock no update is ever lost.
func TestTillsLocked(t *testing.T) {
	sc := load(t, tillsFile(t), map[string]string{"rounds": "50"})
	for i := range runs(40, 1000) {
		o := runOn(t, shared, sc)
		if o.Verdict.Result != event.Pass {
			t.Fatalf("run %d: %+v\n%s", i, o.Verdict, o.causeText())
		}
		if o.Verdict.Checks != 1 {
			t.Fatalf("run %d: %d checks", i, o.Verdict.Checks)
		}
	}
	o := runOn(t, shared, load(t, tillsFile(t), nil))
	o.mustPass()
}

// TestTillsUnlocked: without the lock updates get lost, given rounds enough for the
// two to overlap: nearly always where both have a processor, and now and then on a
// loaded machine, and the failed check carries both
// numbers: what is there, and what should be.
func TestTillsUnlocked(t *testing.T) {
	const rounds = 20000
	text := tillsFile(t)
	sc := load(t, text, map[string]string{"rounds": strconv.Itoa(rounds), "locked": "false"})
	n, lost := runs(10, 100), 0
	for range n {
		o := runOn(t, shared, sc)
		if o.Verdict.Result == event.Pass || o.Verdict.Ending == "race" {
			continue // one after the other, because the machine had no processor for both
		}
		lost++
		o.decided(event.Failed, "fail", lineOf(t, text, "assert: total.value"), `"text":"2 \* rounds","value":"40000"`)
		m := regexp.MustCompile(`"text":"total.value","value":"(\d+)"`).FindStringSubmatch(o.causeText())
		if m == nil {
			t.Fatalf("the check does not say what the total is: %s", o.causeText())
		}
		if got, err := strconv.Atoi(m[1]); err != nil || got >= 2*rounds || got < 2 {
			t.Errorf("the total is %s", m[1])
		}
	}
	if lost == 0 {
		t.Errorf("updates were lost in %d of %d runs", lost, n)
	}
}
