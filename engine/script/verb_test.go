package script

import (
	"sync/atomic"
	"testing"
)

// TestVerbs: each verb is there once, is found by what it is called and by its id,
// and either is control flow or does something in the world.
func TestVerbs(t *testing.T) {
	seen := map[string]bool{}
	ids := map[uint16]bool{orderVerb.id: true}
	for _, v := range Verbs() {
		if seen[v.Key()] {
			t.Errorf("%s is registered twice", v.Key())
		}
		if ids[v.ID()] {
			t.Errorf("%s has the id of another", v.Key())
		}
		seen[v.Key()], ids[v.ID()] = true, true
		if Lookup(v.Name, v.Class) != v || VerbByID(v.ID()) != v {
			t.Errorf("%s is not found, or is somebody else", v.Key())
		}
		if v.prim == nil && (v.Lower == nil) == (v.Run == nil) {
			t.Errorf("%s needs one of Lower and Run", v.Key())
		}
		if v.prim != nil && v.prim.Do == nil {
			t.Errorf("%s has no real form", v.Key())
		}
	}
	for _, key := range []string{"exit", "wait process", "wait event", "imap pool", "take pool"} {
		if !seen[key] {
			t.Errorf("no %s", key)
		}
	}
	if Lookup("set", "queue") != nil || Lookup("wait", "") != nil || VerbByID(uint16(len(seen))) != nil {
		t.Error("a verb is found that there is not")
	}
	if with := Lookup("with", ""); len(with.Object.Refs) < 5 {
		t.Errorf("with holds %q alone", with.Object.Refs)
	}
}

// TestVerbsAreMadeWhenAskedFor: a process has those that its program uses.
func TestVerbsAreMadeWhenAskedFor(t *testing.T) {
	number()
	before := made
	t.Cleanup(func() { made = before })
	made = make([]atomic.Pointer[Verb], len(before))
	Lookup("set", "event")
	Lookup("sleep", "")
	n := 0
	for i := range made {
		if made[i].Load() != nil {
			n++
		}
	}
	if n != 2 {
		t.Errorf("of two verbs that were asked for %d are made", n)
	}
}
