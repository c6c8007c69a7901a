package scenarios_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ipcrun/engine/plan"
	"ipcrun/scenarios"
)

// row is a row of docs/course.md: what a course teaches, what it is called
// here, and the scenarios that show it.
type row struct {
	line        int
	text, words string
	files       []string
}

var (
	link   = regexp.MustCompile(`\]\(([^)]*)\)`)
	quoted = regexp.MustCompile("`([^`]+)`")
	word   = regexp.MustCompile(`[a-z_]+`)
)

func course(t *testing.T) (rows []row) {
	t.Helper()
	data, err := os.ReadFile("../docs/course.md")
	if err != nil {
		t.Fatal(err)
	}
	for n, line := range strings.Split(string(data), "\n") {
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.HasPrefix(line, "| course") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 3 {
			t.Errorf("line %d has %d cells, not 3: %s", n+1, len(cells), line)
			continue
		}
		r := row{line: n + 1, text: line, words: cells[1]}
		for _, m := range link.FindAllStringSubmatch(cells[2], -1) {
			r.files = append(r.files, m[1])
		}
		rows = append(rows, r)
	}
	return rows
}

// TestCourse: every row of docs/course.md names scenarios that are shipped, and
// these have the verbs and kinds in them of which the row speaks.
func TestCourse(t *testing.T) {
	voc := map[string]bool{}
	for name := range plan.Vocabulary().Kinds {
		voc[name] = true
	}
	for _, v := range plan.Vocabulary().Verbs {
		voc[v.Name] = true
	}
	rows, compared := course(t), 0
	for _, r := range rows {
		if len(r.files) == 0 {
			t.Errorf("line %d names no scenario: %s", r.line, r.text)
		}
		shown := ""
		for _, f := range r.files {
			name, ok := strings.CutPrefix(f, "../scenarios/")
			data, err := scenarios.Files.ReadFile(name)
			if !ok || err != nil {
				t.Errorf("line %d: %s is no shipped scenario: %v", r.line, f, err)
			}
			shown += string(data)
		}
		for _, q := range quoted.FindAllStringSubmatch(r.words, -1) {
			if strings.HasPrefix(q[1], "ipcrun ") {
				continue
			}
			for _, w := range word.FindAllString(q[1], -1) {
				if !voc[w] {
					continue
				}
				if compared++; !regexp.MustCompile(`\b` + w + `\b`).MatchString(shown) {
					t.Errorf("line %d speaks of %s, of which there is nothing in %v", r.line, w, r.files)
				}
			}
		}
	}
	if len(rows) < 80 || compared < 60 {
		t.Errorf("only %d rows with %d words: the table was not understood", len(rows), compared)
	}
}

// TestTopics: each topic has its scenarios, and the table names them.
func TestTopics(t *testing.T) {
	for topic, files := range map[string]string{
		"pipe two-way":                      "pipes/two-way.yaml pipes/parent-child.yaml",
		"pipe one-way":                      "pipes/one-way.yaml",
		"end of file, and its hang":         "pipes/eof.yaml pipes/forgotten-end.yaml",
		"queue full, empty, timeouts, many": "queues/full.yaml queues/empty.yaml queues/timeouts.yaml queues/many-to-many.yaml",
		"pool with a manager queue":         "pool/manager-queue.yaml",
		"value with and without its lock":   "memory/own-lock.yaml memory/race.yaml tills.yaml",
		"arrays of ints and chars":          "memory/array-ints.yaml memory/array-chars.yaml",
		"the three compared":                "compare/three.yaml",
		"signals":                           "signals/alarm.yaml signals/default-actions.yaml signals/during-handler.yaml signals/kill.yaml signals/pause.yaml signals/realtime.yaml signals/three-dispositions.yaml signals/uncatchable.yaml pending.yaml",
		"zombies and their three cures":     "processes/zombie.yaml processes/zombie-ignore.yaml processes/zombie-handler.yaml processes/orphan.yaml",
		"semaphore":                         "sync/semaphore.yaml",
		"event":                             "gun.yaml",
		"synchronisation, mutual exclusion": "sync/sync-versus-mutex.yaml",
		"the classics":                      "classics/producer-consumer.yaml classics/readers-writers.yaml classics/dining-deadlock.yaml classics/dining-safe.yaml classics/sleeping-barber.yaml",
		"driver and conductor":              "driver.yaml",
	} {
		for _, f := range strings.Fields(files) {
			if _, err := scenarios.Files.ReadFile(f); err != nil {
				t.Errorf("%s: %v", topic, err)
			}
			if !slices.ContainsFunc(course(t), func(r row) bool { return slices.Contains(r.files, "../scenarios/"+f) }) {
				t.Errorf("%s: no row of the course names %s", topic, f)
			}
		}
	}
}
