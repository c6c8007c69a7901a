package spec_test

import (
	"bytes"
	"testing"

	"ipcrun/engine/plan"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// FuzzLoad: whatever a file holds, Load ends, says what is wrong exactly if
// there is no result, and every message can be shown.
func FuzzLoad(f *testing.F) {
	for _, data := range scenarios(f) {
		f.Add(data)
	}
	for _, c := range brokenCases(f) {
		f.Add(bytes.TrimLeft(c.file.Data, "\n"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file := source.New("x.yaml", data)
		l := &diag.List{}
		sc := spec.Load(file, plan.Vocabulary(), spec.Options{}, l)
		if (sc == nil) != l.HasErrors() {
			t.Errorf("result: %v, errors: %v", sc != nil, l.Err())
		}
		for _, d := range l.All() {
			if d.Code == "" || d.Summary == "" || d.Span.Start.Line > file.Lines() {
				t.Errorf("incomplete: %+v", d)
			}
		}
		if err := diag.Write(new(bytes.Buffer), l.All(), diag.Style{}); err != nil {
			t.Error(err)
		}
		if sc == nil {
			return
		}
		for i, s := range sc.All[1:] {
			if s == nil || s.Verb == nil || int(s.ID) != i+1 {
				t.Errorf("step %d is %+v", i+1, s)
			}
		}
	})
}
