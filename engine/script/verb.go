package script

import (
	"slices"

	"ipcrun/prims"
	"ipcrun/spec/decl"
)

// Verb is a step of the language: its descriptor, and either Lower for control
// flow or Run for what happens in the world.
type Verb struct {
	decl.Verb
	// Class of the object that selects this verb among those of its name: a
	// kind of primitive, ClassProcess, or "" where the object is no name.
	Class string
	// Lower compiles a control-flow step.
	Lower func(l *lowering, s *Step)
	// Run performs the step. It may be done again after ErrInterrupted.
	Run func(w World, a *Action) (any, error)
	// Checks says that the step is a check: a scenario in which it never ran
	// has not passed.
	Checks bool

	id   uint16
	prim *prims.Op // of a primitive's verb
}

// ID is the number of the verb in records and status slots. It is the same in
// all processes of one binary.
func (v *Verb) ID() uint16 { return v.id }

// Key is the verb's name with its class: "wait event".
func (v *Verb) Key() string {
	if v.Class == "" {
		return v.Name
	}
	return v.Name + " " + v.Class
}

var (
	verbs   = map[string]*Verb{}
	ordered []*Verb
)

// lowerPrim has those verbs of primitives, by key, that are more than one
// operation.
var lowerPrim = map[string]func(l *lowering, s *Step){}

// register adds an engine verb; called from init in the verb's own file.
func register(v *Verb) {
	if (v.Lower == nil) == (v.Run == nil) {
		panic("script: verb " + v.Name + " needs one of Lower and Run")
	}
	if _, dup := verbs[v.Key()]; dup {
		panic("script: verb " + v.Key() + " registered twice")
	}
	verbs[v.Key()] = v
}

// number gives every verb its id, once all have registered.
func number() {
	if ordered != nil {
		return
	}
	for _, d := range prims.All() {
		add := func(dv *decl.Verb) {
			op := d.Op(dv.Name)
			v := &Verb{Verb: *dv, Class: d.Name, prim: &op, Run: runPrim}
			key := v.Key()
			v.Lower = lowerPrim[key]
			verbs[key] = v
		}
		for i := range d.Verbs {
			dv := d.Verbs[i]
			dv.Object = &decl.Field{Name: dv.Name, Shape: decl.Ref, Required: true, Refs: []string{d.Name}, Doc: "the " + d.Name}
			add(&dv)
		}
		for i := range d.Inner {
			add(&d.Inner[i])
		}
	}
	// Every process does this at its start: each key is made once.
	keys := make([]string, 0, len(verbs))
	for key := range verbs {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	ordered = make([]*Verb, len(keys))
	for i, key := range keys {
		ordered[i] = verbs[key]
		ordered[i].id = uint16(i)
	}
}

// Lookup finds a verb by name and class of its object, nil if there is none.
func Lookup(name, class string) *Verb {
	number()
	key := name
	if class != "" {
		key += " " + class
	}
	return verbs[key]
}

// Verbs lists all verbs, sorted by name and class. Those without a place are
// no words of the language.
func Verbs() []*Verb {
	number()
	return ordered
}

// VerbByID is the inverse of ID.
func VerbByID(id uint16) *Verb {
	number()
	if int(id) < len(ordered) {
		return ordered[id]
	}
	return nil
}

// Prim is the real form of a primitive's verb, nil for other verbs.
func (v *Verb) Prim() *prims.Op { return v.prim }

func runPrim(w World, a *Action) (any, error) { return w.Op(a) }
