package plan

import (
	"sync"

	"ipcrun/engine/proc/keys"
	"ipcrun/engine/proc/sig"
	"ipcrun/engine/script"
	"ipcrun/prims"
	"ipcrun/spec/decl"
)

// Vocabulary is all that a scenario can say, from the registries of primitives
// and verbs. It is made once and only read.
var Vocabulary = sync.OnceValue(func() *decl.Vocabulary {
	v := &decl.Vocabulary{
		Kinds:        map[string]*decl.Kind{},
		ProcessFacts: script.ProcessFacts,
		Siginfo:      script.SiginfoName,
		SiginfoFacts: script.SiginfoFacts,
		Funcs:        script.Funcs,
		Errors:       decl.Errors(),
		Signals:      signals{},
		Keys:         keys.Names(),
		Duration:     script.ParseDuration,
	}
	for _, d := range prims.All() {
		v.Kinds[d.Name] = &d.Kind
	}
	for _, verb := range script.Verbs() {
		if verb.Place == 0 {
			continue
		}
		v.Verbs = append(v.Verbs, decl.ClassedVerb{Verb: verb.Verb, Class: verb.Class, Checks: verb.Checks})
	}
	return v
})

type signals struct{}

func (signals) Number(name string) (int, error) {
	s, err := sig.Parse(name)
	return int(s), err
}

func (signals) Name(n int) string { return sig.Sig(n).String() }

func (signals) Catchable(n int) bool { return sig.Sig(n).Catchable() }

func (signals) Names() []string {
	var out []string
	for _, s := range sig.All() {
		out = append(out, s.String())
	}
	return out
}
