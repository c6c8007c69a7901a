package grade

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"ipcrun/engine/event"
)

// Schema is what the schema field of every result says.
const Schema = "ipcrun/result/v1"

// Result is what a submission has earned, as it stands in its file. Within a
// version, fields are only added.
type Result struct {
	Schema  string `json:"schema"`
	Version string `json:"version"` // of ipcrun
	// Complete is false while the submission is being graded, and stays so if
	// ipcrun is killed: what the result then says is true, but not all.
	Complete   bool         `json:"complete"`
	Exercise   string       `json:"exercise"`
	Submission string       `json:"submission"`
	Key        string       `json:"key"` // hash of all that the result depends on
	Detail     Detail       `json:"detail"`
	Started    string       `json:"started"` // UTC
	Duration   int64        `json:"duration_ms"`
	Host       string       `json:"host"`
	Result     event.Result `json:"result"`
	Points     float64      `json:"points"`
	MaxPoints  float64      `json:"max_points"`
	// Reason is the first one why points are lost.
	Reason string `json:"reason,omitempty"`
	// Unbuilt: there is no program that could have run.
	Unbuilt bool `json:"unbuilt,omitempty"`
	// Compiler is what it has said, if it was asked.
	Compiler []string `json:"compiler,omitempty"`
	// Repeats is how often it was graded, if more than once; Changed are the
	// checks whose results were not the same each time.
	Repeats   int       `json:"repeats,omitempty"`
	Changed   []string  `json:"changed,omitempty"`
	Checks    []Check   `json:"checks"`
	Processes []Process `json:"processes"`
}

// Check is what came of one check.
type Check struct {
	ID         string       `json:"id"`
	Result     event.Result `json:"result"`
	Points     float64      `json:"points"`
	MaxPoints  float64      `json:"max_points"`
	At         string       `json:"at,omitempty"` // line:column of the exercise
	Expected   string       `json:"expected,omitempty"`
	Actual     string       `json:"actual,omitempty"`
	Message    string       `json:"message,omitempty"`
	Why        string       `json:"why,omitempty"` // in sentences, with --detail full
	Hint       string       `json:"hint,omitempty"`
	Visibility string       `json:"visibility"`
}

// Process is what became of a process.
type Process struct {
	Name   string        `json:"name"`
	Pid    int           `json:"pid"`
	Status *event.Status `json:"status"` // null: it was ended with the run, or never started
	// Tails are the last lines that it has printed, made visible.
	Stdout []string `json:"stdout_tail"`
	Stderr []string `json:"stderr_tail"`
}

// Full reports whether every point was earned.
func (r *Result) Full() bool { return r.Result == event.Pass && r.Points >= r.MaxPoints }

// verdicts are what must not change from one run to the next.
func (r *Result) verdicts() map[string]event.Result {
	out := map[string]event.Result{"": r.Result}
	for _, c := range r.Checks {
		out[c.ID] = c.Result
	}
	return out
}

// write replaces the result at path: whoever reads it finds the one before or
// this one, whenever ipcrun is killed.
func (r *Result) write(path string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return err
	}
	part := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".part")
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	if _, err = f.Write(b.Bytes()); err == nil && r.Complete {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// read is the result at path, nil if there is none that can be used.
func read(path string) *Result {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var r Result
	if json.Unmarshal(data, &r) != nil || r.Schema != Schema {
		return nil
	}
	return &r
}
