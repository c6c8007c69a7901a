package event

// Result is the word for how a scenario went, one set for all formats.
type Result string

// The results.
const (
	Pass    Result = "pass"
	Failed  Result = "fail"
	Timeout Result = "timeout"
	Error   Result = "error" // the runner could not do its job
	Skip    Result = "skip"
	Flaky   Result = "flaky"
)

// Verdict is the fold over a log.
type Verdict struct {
	Result Result
	// Ending is how the run itself ended: pass, fail, timeout, deadlock, error,
	// skip or interrupted; the scenario may have been meant to end so.
	Ending string
	// Cause is the index of the event that decided, -1 if none did.
	Cause int
	// Interrupted names the signal that stopped the run, if one did.
	Interrupted string
	Checks      int // that held
	Points      float64
	MaxPoints   float64
	Duration    int64 // nanoseconds
	Processes   int
}

// Judge folds a log into its verdict. The first event that decides wins; that
// the runner itself broke outweighs everything.
func Judge(log []Event) Verdict { return judge(log, func(*Event) bool { return true }) }

// EndOf says what ended a run, as Judge does: behind a check that earns points the
// script goes on, whatever came of it; but not where it was at when the time of the
// scenario was over.
func EndOf(log []Event) Verdict {
	return judge(log, func(e *Event) bool {
		return e.Points == 0 || KindOf(e.Type) == Expired && e.Limit != nil && e.Limit.What != "step"
	})
}

// judge is Judge where of what could decide only some counts.
func judge(log []Event, counts func(*Event) bool) Verdict {
	v := Verdict{Result: Pass, Ending: "pass", Cause: -1}
	declared := "pass"
	passed := map[[2]int]bool{}
	// What finally: checks, when all is over, holds however the scenario was meant to end.
	over, finally := false, -1
	decide := func(i int, ending string) {
		if over && ending == "fail" && finally < 0 {
			finally = i
		}
		if v.Cause >= 0 && ending != "error" || !counts(&log[i]) {
			return
		}
		if v.Ending == "error" {
			return
		}
		v.Ending, v.Cause = ending, i
	}
	for _, s := range Score(log) {
		v.Points += s.Earned
	}
	for i := range log {
		e := &log[i]
		if e.At > v.Duration {
			v.Duration = e.At
		}
		switch KindOf(e.Type) {
		case Start:
			if e.Run != nil {
				declared = e.Run.Outcome
				v.MaxPoints = e.Run.Points
				v.Processes = len(e.Run.Procs)
			}
		case Broken:
			decide(i, "error")
		case Skipped:
			decide(i, "skip")
		case Stopped:
			v.Interrupted = e.Signal
			decide(i, "interrupted")
		case Expired:
			decide(i, "timeout")
		case Deadlock:
			decide(i, "deadlock")
		case Fail:
			if !e.Expected {
				decide(i, "fail")
			}
		case Missed, Barred:
			decide(i, "fail")
		case Overrun:
			// A program that is beyond a limit fails by what comes of it; one that
			// nobody watched for a while is not judged at all.
			if e.Detail == "supervisor" || e.Detail == "stopped" {
				decide(i, "fail")
			}
		case Raced:
			if e.Race != nil && e.Race.Severity == "error" {
				decide(i, "race")
			}
		case Checked:
			if e.Check == nil || !e.Check.OK {
				decide(i, "fail")
			} else if !passed[[2]int{e.Line, e.Col}] {
				passed[[2]int{e.Line, e.Col}] = true
				v.Checks++
			}
		case Clean:
			over = true
			if e.Value != nil {
				decide(i, "error")
			}
		}
	}
	v.Result = resultOf(v.Ending)
	if declared != "pass" && declared != "" && v.Ending != "error" && v.Ending != "skip" && v.Ending != "interrupted" {
		v.Result = Failed
		if v.Ending == declared {
			v.Result = Pass
		}
		if v.Result == Pass && finally >= 0 && finally != v.Cause {
			v.Result, v.Cause = Failed, finally
		}
	}
	return v
}

func resultOf(ending string) Result {
	switch ending {
	case "pass":
		return Pass
	case "timeout":
		return Timeout
	case "error", "interrupted":
		return Error
	case "skip":
		return Skip
	}
	return Failed
}
