package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ipcrun/spec/decl"
)

// What Go does before main, every agent does at its start, and it is a good part
// of what a declared process costs.

// initOf is what the initialisation of a package took.
type initOf struct {
	pkg    string
	ms     float64
	bytes  int
	allocs int
}

var traced = regexp.MustCompile(`(?m)^init (\S+) @\S+ ms, (\S+) ms clock, (\d+) bytes, (\d+) allocs$`)

// initTrace has a binary say what it initialises, in order. It is started as
// argv says, and is to end at once.
func initTrace(tb testing.TB, bin string, argv ...string) (out []initOf, took time.Duration) {
	tb.Helper()
	cmd := exec.Command(bin)
	cmd.Args = argv
	cmd.Env = []string{"GODEBUG=inittrace=1,asyncpreemptoff=1", "GOMAXPROCS=1", "GOGC=200"}
	var text strings.Builder
	cmd.Stderr = &text
	start := time.Now()
	_ = cmd.Run() // an agent that has nothing of what it needs fails
	took = time.Since(start)
	for _, m := range traced.FindAllStringSubmatch(text.String(), -1) {
		ms, _ := strconv.ParseFloat(m[2], 64)
		bytes, _ := strconv.Atoi(m[3])
		allocs, _ := strconv.Atoi(m[4])
		out = append(out, initOf{m[1], ms, bytes, allocs})
	}
	if len(out) == 0 {
		tb.Fatalf("no trace of any initialisation in\n%s", text.String())
	}
	return out, took
}

func ours(pkg string) bool { return strings.HasPrefix(pkg, "ipcrun/") }

// initAllocs is how many pieces of memory our packages may take in their
// initialisation, together and each.
const initAllocs, initAllocsEach = 140, 30

// TestNothingIsMadeAtInit: descriptors lie in the binary as they are. A single
// variable that is initialised by a call of a function has the compiler give up on
// many others that are declared after it.
func TestNothingIsMadeAtInit(t *testing.T) {
	trace, _ := initTrace(t, binary(t), "ipcrun", "version")
	if faults := tooMuch(trace, initAllocs, initAllocsEach); len(faults) > 0 {
		t.Errorf("%s\n(go build -gcflags=ipcrun/prims=-S shows in prims.init what is left to be done)", strings.Join(faults, "\n"))
	}
	// What gives a process its stack comes before whatever needs one.
	at := func(pkg string) int { return slices.IndexFunc(trace, func(i initOf) bool { return i.pkg == pkg }) }
	if s := at("ipcrun/engine/proc/stack"); s < 0 || s > at("os") || s > at("ipcrun/prims") {
		t.Errorf("the stack is the %d. to be initialised", s+1)
	}
	// Who watches a program, and who starts it, need no primitives and no scenario.
	for _, early := range []string{"leader", "observe", "sandbox", "supervisor"} {
		for _, late := range []string{"ipcrun/prims", "ipcrun/spec/cond", "gopkg.in/yaml%2ev3"} {
			if e, l := at("ipcrun/engine/"+early), at(late); e < 0 || l < 0 || e > l {
				t.Errorf("engine/%s is the %d. to be initialised, %s the %d.", early, e+1, late, l+1)
			}
		}
	}
	if len(tooMuch(trace, 10, 10)) < 2 {
		t.Error("nobody makes ten things: nothing is measured")
	}
}

func tooMuch(trace []initOf, all, each int) (faults []string) {
	sum := 0
	for _, i := range trace {
		if !ours(i.pkg) {
			continue
		}
		sum += i.allocs
		if i.allocs > each {
			faults = append(faults, fmt.Sprintf("%s takes %d pieces of memory (%d bytes) at init, more than %d", i.pkg, i.allocs, i.bytes, each))
		}
	}
	if sum > all {
		faults = append(faults, fmt.Sprintf("our packages take %d pieces of memory at init, more than %d", sum, all))
	}
	return faults
}

// TestErrorsAreRegisteredOnce: which is not looked at when they are registered.
func TestErrorsAreRegisteredOnce(t *testing.T) {
	errs := decl.Errors()
	for i := 1; i < len(errs); i++ {
		if errs[i].Name == errs[i-1].Name {
			t.Errorf("error %s is registered twice", errs[i].Name)
		}
	}
	if !slices.ContainsFunc(errs, func(e decl.Err) bool { return e.Name == "Ambiguous" }) {
		t.Error("those of the engine are not there")
	}
}

// BenchmarkInit starts agents that have nothing and end as soon as they are initialised: the time
// from the fork to the end of one, that of all initialisations, and that of our own
// packages, whose total is to stay under a millisecond.
func BenchmarkInit(b *testing.B) {
	bin := binary(b)
	var whole, all, own []time.Duration
	for b.Loop() {
		trace, took := initTrace(b, bin, "ipcrun-agent", "x", "y")
		var sum, mine float64
		for _, i := range trace {
			sum += i.ms
			if ours(i.pkg) {
				mine += i.ms
			}
		}
		whole = append(whole, took)
		all = append(all, time.Duration(sum*1e6))
		own = append(own, time.Duration(mine*1e6))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(median(whole).Microseconds())/1000, "ms/start")
	b.ReportMetric(float64(median(all).Microseconds())/1000, "ms/init")
	b.ReportMetric(float64(median(own).Microseconds())/1000, "ms/own-init")
}
