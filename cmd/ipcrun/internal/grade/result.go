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
// version, fields are only added. What each field is stands in its doc tag, of which
// the JSON Schema and the table in docs/exercises.md are made.
type Result struct {
	Schema     string         `json:"schema" doc:"always ipcrun/result/v1"`
	Version    string         `json:"version" doc:"that of ipcrun"`
	Complete   bool           `json:"complete" doc:"whether it was graded to the end; false while it is being graded, and for good if ipcrun is killed then: what the result says is true, but not all"`
	Exercise   string         `json:"exercise" doc:"name of the exercise's folder"`
	Submission string         `json:"submission" doc:"name of the submission's file or folder"`
	Key        string         `json:"key" doc:"hash of all that the result depends on"`
	Detail     Detail         `json:"detail" doc:"what --detail was"`
	Params     map[string]any `json:"params,omitempty" doc:"params of the exercise, in full detail only: students might read in them what is expected"`
	Started    string         `json:"started" doc:"when it was begun, UTC, as 2006-01-02T15:04:05Z"`
	Duration   int64          `json:"duration_ms" doc:"how long it took, compiling included, in milliseconds"`
	Host       string         `json:"host" doc:"where: system and processor"`
	Result     event.Result   `json:"result" doc:"how the run ended; blocked while nobody knows yet"`
	Points     float64        `json:"points" doc:"what was earned"`
	MaxPoints  float64        `json:"max_points" doc:"what could have been, by the checks that are listed"`
	Reason     string         `json:"reason,omitempty" doc:"the first reason why points are lost"`
	Unbuilt    bool           `json:"unbuilt,omitempty" doc:"true: there is no program that could have run"`
	Compiler   []string       `json:"compiler,omitempty" doc:"the last lines of what the compiler said, if it was asked"`
	Repeats    int            `json:"repeats,omitempty" doc:"with --repeat: how often it was graded"`
	Changed    []string       `json:"changed,omitempty" doc:"with --repeat: the checks whose results were not the same each time"`
	Checks     []Check        `json:"checks" doc:"what came of each check that earns points"`
	Processes  []Process      `json:"processes" doc:"what became of the processes; none with --detail none"`
}

// Check is what came of one check.
type Check struct {
	ID         string       `json:"id" doc:"its name"`
	Result     event.Result `json:"result" doc:"what came of it; blocked: it was not tried"`
	Points     float64      `json:"points" doc:"what it has earned"`
	MaxPoints  float64      `json:"max_points" doc:"what it can earn"`
	At         string       `json:"at,omitempty" doc:"line:column of the exercise"`
	Expected   string       `json:"expected,omitempty" doc:"what it expects"`
	Actual     string       `json:"actual,omitempty" doc:"what the submission had done when it was decided"`
	Message    string       `json:"message,omitempty" doc:"why it has earned nothing"`
	Why        string       `json:"why,omitempty" doc:"in sentences, in full detail only: how it came about"`
	Hint       string       `json:"hint,omitempty" doc:"the author's, to whoever fails it"`
	Visibility string       `json:"visibility" doc:"who sees it: visible, or as the exercise says"`
}

// Process is what became of a process.
type Process struct {
	Name   string        `json:"name" doc:"as declared"`
	Pid    int           `json:"pid" doc:"its number, 0 if it never started"`
	Status *event.Status `json:"status" doc:"how it ended: by SIGKILL too if it outlived the program that it belongs to; null: it was ended with the run, or never started"`
	// Resources are what it has used, nil where it has not ended.
	Resources *Resources `json:"resources" doc:"what it has used; null: it was ended with the run, or never started"`
	Stdout    []string   `json:"stdout_tail" doc:"the last lines that it has printed, control characters made visible; a first one that begins with … says how many there were before"`
	Stderr    []string   `json:"stderr_tail" doc:"the same of its standard error"`
}

// Resources are what a process has used.
type Resources struct {
	Wall int64  `json:"wall_ms" doc:"from its start to its end, in milliseconds"`
	CPU  *int64 `json:"cpu_ms,omitempty" doc:"of a program: processor time, in milliseconds, with that of the children that it has waited for and some of its start"`
	Peak *int64 `json:"peak_memory,omitempty" doc:"of a program: the most memory, in bytes, that it or a child that it has waited for has had in use; what its start takes, about 7 MiB, is the least"`
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
