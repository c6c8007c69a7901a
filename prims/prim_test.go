package prims

import "testing"

// TestDescriptors: each kind is there once, and complete.
func TestDescriptors(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range All() {
		if seen[d.Name] {
			t.Errorf("%s is registered twice", d.Name)
		}
		seen[d.Name] = true
		for _, fault := range faults(d) {
			t.Errorf("%s: %s", d.Name, fault)
		}
	}
	// What an incomplete one lacks is found.
	broken := eventKind
	broken.Ops, broken.Facts, broken.Named = broken.Ops[1:], nil, "name"
	if got := faults(&broken); len(got) != 3 {
		t.Errorf("of three faults: %q", got)
	}
}

// faults is what is wrong with a descriptor.
func faults(d *Descriptor) (out []string) {
	ops := map[string]bool{}
	for _, op := range d.Ops {
		if op.Do == nil || ops[op.Verb] {
			out = append(out, "the real form of "+op.Verb+" is empty, or there are two")
		}
		ops[op.Verb] = true
	}
	verbs := map[string]bool{}
	for _, v := range d.Verbs {
		if !ops[v.Name] {
			out = append(out, "verb "+v.Name+" has no real form")
		}
		verbs[v.Name] = true
	}
	for _, v := range d.Inner {
		if !ops[v.Name] || v.Place != 0 {
			out = append(out, "inner "+v.Name+" has no real form, or a place where it may stand")
		}
		verbs[v.Name] = true
	}
	for name := range ops {
		if !verbs[name] && name != d.Serve {
			out = append(out, "nothing describes "+name)
		}
	}
	if (d.Named != "") != (d.Address != nil) {
		out = append(out, "who has a name in the system has an address, and the other way round")
	}
	if d.Attach == nil || d.Facts == nil || d.Model == nil || d.ArenaSize == nil {
		out = append(out, "it has no Attach, Facts, Model or ArenaSize")
	}
	return out
}
