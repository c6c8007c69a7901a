package spec_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"ipcrun/engine/plan"
	"ipcrun/schema"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
	"ipcrun/spec/ydoc"
)

// beyondSchema are the mistakes that a schema cannot see, by code.
var beyondSchema = map[string]string{
	"IPC103": "names that are not declared",
	"IPC104": "names that are declared twice",
	"IPC108": "things of the wrong kind",
	"IPC110": "expressions",
	"IPC113": "an index that is missing or out of range",
	"IPC114": "steps behind one that never ends",
	"IPC116": "families",
	"IPC119": "names of steps in the background",
	"IPC121": "which process has a terminal",
	"IPC123": "conditions that never change",
	"IPC126": "C types, which the vocabulary checks by a function",
	"IPC127": "what nobody uses",
	"IPC128": "who is whose child",
	"IPC129": "style",
	"IPC131": "${…} in fixed text, which is a warning",
	"IPC132": "the types of ${…}",
	"IPC133": "what tasks take",
	"IPC135": "what an exercise's names mean",
	"IPC136": "text that may have been meant otherwise, which is a warning",
}

// beyondSchemaCases are the cases that a schema cannot see although it sees
// others with the same code.
var beyondSchemaCases = []string{
	"exercises/unknown_checks",                      // keys that contradict one another
	"durations/timeout_of_nothing",                  // 0s is a duration
	"family/terminal_of_a_child",                    // keys that contradict one another
	"programs/a_found_child_has_nothing_of_its_own", // what its parent is
	"programs/a_found_child_has_no_limits",          // the same
	"programs/match_of_what_ipcrun_forks",           // who forks it
	"programs/order_of_several",                     // what its name says
	"programs/which_is_which",                       // who has the same parent
	"names/count_from_a_near_param",                 // a name where a number belongs
	"names/count_from_a_text_param",                 // the same
	"names/count_text",                              // the same
	"names/reserved_words",                          // words of the expression language
	"places/in_a_process_that_has_a_script",         // what is declared elsewhere
	"shape/param_is_yes",                            // text to JSON
	"steps/bad_regular_expression",                  // the syntax of patterns
	"pools/a_manager_as_a_queue,_and_steps_for_it",  // orders for a process that is not idle
	"steps/regular_expression_that_matches_nothing_at_all",
	"yaml/base_sixty", // text to JSON
	"yaml/date",       // text to JSON
	// What a name of POSIX looks like, and that things have one each.
	"named/no_slash", "named/two_slashes", "named/nothing_behind_the_slash", "named/several_by_one_name", "named/two_by_one_name",
	"named/a_size_too_small_for_what_it_holds", "named/a_path_that_fits_into_no_address", "named/a_path_that_is_a_directory", "named/a_relative_path_with_a_directory",
}

func compiled(t testing.TB) *jsonschema.Schema {
	t.Helper()
	data, err := schema.JSON()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("scenario.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("scenario.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// validate holds a file against the schema. ok is false for a file that is no
// plain data, so that no schema ever sees it.
func validate(t testing.TB, s *jsonschema.Schema, f *source.File) (ok bool, err error) {
	t.Helper()
	l := &diag.List{}
	root := ydoc.Parse(f, l)
	if root == nil || l.HasErrors() {
		return false, nil
	}
	v, err := root.Data()
	if err != nil {
		return false, nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return true, s.Validate(doc)
}

// TestSchemaAgrees: an editor with the schema and the loader say the same of
// every file, as far as a schema can see.
func TestSchemaAgrees(t *testing.T) {
	s := compiled(t)
	for path, data := range scenarios(t) {
		if ok, err := validate(t, s, source.New(path, data)); !ok || err != nil {
			t.Errorf("%s loads, and the schema refuses it: %v", path, err)
		}
	}
	var unseen []string
	for _, c := range brokenCases(t) {
		l := &diag.List{}
		spec.Load(c.file, plan.Vocabulary(), spec.Options{}, l)
		var visible []string
		for _, d := range l.All() {
			if d.Severity == diag.Error && beyondSchema[d.Code] == "" {
				visible = append(visible, d.Code)
			}
		}
		name := strings.ReplaceAll(c.name, " ", "_")
		ok, err := validate(t, s, c.file)
		switch {
		case !ok:
		case len(visible) == 0 && err != nil && !l.HasErrors():
			t.Errorf("%s loads, and the schema refuses it: %v", name, err)
		case len(visible) > 0 && err == nil:
			unseen = append(unseen, name)
			if !slices.Contains(beyondSchemaCases, name) {
				t.Errorf("%s: the schema accepts what the loader refuses with %v", name, visible)
			}
		}
	}
	for _, name := range beyondSchemaCases {
		if !slices.Contains(unseen, name) {
			t.Errorf("%s: the schema sees this; take it off the list", name)
		}
	}
}
