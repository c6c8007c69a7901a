package script

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

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
	// refs, if set, is what the object may refer to, where other descriptors say it.
	refs func() []string

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

// Every agent registers the verbs at its start and uses a few of them: what is
// registered is only read, and a verb is made when it is asked for.
var (
	// registered are the engine's verbs. It has room for more than there are.
	registered = make([]*Verb, 0, 64)
	// kinds are those of the primitives, sorted by name.
	kinds []kind
	// made are the verbs by id, those of the engine first, those of the primitives
	// behind them; nil where nobody has asked yet.
	made []atomic.Pointer[Verb]
)

// kind is a kind of primitives; first is the id of the first of its verbs. The inner
// ones are behind the others.
type kind struct {
	*prims.Descriptor
	first int
}

// register adds an engine verb; called from init in the verb's own file. It is a
// variable that the compiler initialises, as the descriptors of primitives are.
func register(v *Verb) { registered = append(registered, v) }

// number makes room for all verbs, once they have registered.
var number = sync.OnceFunc(func() {
	n, all := len(registered), prims.All()
	kinds = make([]kind, len(all))
	for i, d := range all {
		kinds[i] = kind{d, n}
		n += len(d.Verbs) + len(d.Inner)
	}
	made = make([]atomic.Pointer[Verb], n)
})

// keep makes v the verb with an id.
func (v *Verb) keep(id int) *Verb {
	v.id = uint16(id)
	// Who comes first makes it for all.
	made[id].CompareAndSwap(nil, v)
	return made[id].Load()
}

// engineVerb is the i-th that was registered.
func engineVerb(i int) *Verb {
	if v := made[i].Load(); v != nil {
		return v
	}
	v := *registered[i]
	if v.refs != nil {
		o := *v.Object
		o.Refs = v.refs()
		v.Object = &o
	}
	return v.keep(i)
}

// verb is the i-th of a kind.
func (k *kind) verb(i int) *Verb {
	if v := made[k.first+i].Load(); v != nil {
		return v
	}
	v := &Verb{Class: k.Name, Run: runPrim}
	if i < len(k.Verbs) {
		v.Verb = k.Verbs[i]
		v.Object = &decl.Field{Name: v.Name, Shape: decl.Ref, Required: true, Refs: []string{k.Name}, Doc: "the " + k.Name}
	} else {
		v.Verb = k.Inner[i-len(k.Verbs)]
	}
	op := k.Op(v.Name)
	v.prim, v.Lower = &op, lowerPrim(v.Name, k.Name)
	return v.keep(k.first + i)
}

// Lookup finds a verb by name and class of its object, nil if there is none.
func Lookup(name, class string) *Verb {
	number()
	for i := range kinds {
		k := &kinds[i]
		if k.Name != class {
			continue
		}
		for i := range k.Verbs {
			if k.Verbs[i].Name == name {
				return k.verb(i)
			}
		}
		for i := range k.Inner {
			if k.Inner[i].Name == name {
				return k.verb(len(k.Verbs) + i)
			}
		}
	}
	for i, v := range registered {
		if v.Class == class && v.Name == name {
			return engineVerb(i)
		}
	}
	return nil
}

// Verbs lists all verbs, sorted by name and class. Those without a place are
// no words of the language.
func Verbs() []*Verb {
	number()
	out := make([]*Verb, 0, len(made))
	for id := range made {
		out = append(out, VerbByID(uint16(id)))
	}
	slices.SortFunc(out, func(a, b *Verb) int { return strings.Compare(a.Key(), b.Key()) })
	return out
}

// VerbByID is the inverse of ID, nil if no verb has it.
func VerbByID(id uint16) *Verb {
	number()
	i := int(id)
	if i >= len(made) {
		return nil
	}
	if v := made[i].Load(); v != nil {
		return v
	}
	if i < len(registered) {
		return engineVerb(i)
	}
	k := len(kinds) - 1
	for kinds[k].first > i {
		k--
	}
	return kinds[k].verb(i - kinds[k].first)
}

// Prim is the real form of a primitive's verb, nil for other verbs.
func (v *Verb) Prim() *prims.Op { return v.prim }

func runPrim(w World, a *Action) (any, error) { return w.Op(a) }
