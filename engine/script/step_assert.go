package script

import "ipcrun/spec/decl"

// AssertionFailed is the name of the error of an assertion that does not hold.
const AssertionFailed = "AssertionFailed"

func init() { decl.RegisterError(AssertionFailed, "a condition that a step asserts does not hold") }

func init() { register(&assertVerb) }

var assertVerb = Verb{
	Verb: decl.Verb{
		Name: "assert", Summary: "check that a condition holds now", Place: decl.Anywhere,
		Doc: `Evaluates the condition on a frozen snapshot of what it mentions. If it does not
hold, the scenario fails here and the values are shown. It does not wait: for
something that is about to become true, use eventually.`,
		Object:  &decl.Field{Name: "assert", Shape: decl.Cond, Required: true, Doc: "the condition", Example: "total.value == 10"},
		Errors:  []string{AssertionFailed},
		Example: "assert: total.value == 10",
	},
	Checks: true,
	Run: func(w World, a *Action) (any, error) {
		c := a.Cond("")
		ok, err := c.Holds()
		if err != nil {
			w.Check(a, Check{Text: c.Source(), Why: err.Error(), Parts: c.Explain()})
			return nil, err
		}
		if ok {
			w.Check(a, Check{OK: true, Text: c.Source()})
			return nil, nil
		}
		if a.ExpectedError() != AssertionFailed {
			w.Check(a, Check{Text: c.Source(), Parts: c.Explain()})
		}
		return nil, decl.Fail(AssertionFailed, "%s", c.Source())
	},
}
