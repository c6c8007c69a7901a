package spec

import (
	"time"

	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
	"ipcrun/spec/source"
)

// Scenario is a loaded file.
type Scenario struct {
	File    *source.File
	Name    string
	About   string
	Tags    []string
	Timeout time.Duration // 0: the run's default
	Outcome string        // pass, fail, timeout, deadlock or race
	Race    string        // error, warn, off, or "" for the default
	// InheritAll: every process inherits everything.
	InheritAll bool
	Params     map[string]any
	Prims      []*Prim
	Procs      []*Proc // those that primitives bring along come last
	Tasks      []*Task
	Steps      []*Step
	Finally    []*Step
	Always     []*Always
	Exercise   *Exercise // nil: it is none
	// Vars are the variables of the top-level script.
	Vars []string
	// All steps by number; Step.ID is the index, 0 is unused.
	All []*Step
}

// Decl is the declaration of a name.
type Decl struct {
	Name  string
	Array bool
	Count int // n of name[n], else 1
	Span  source.Span
}

// Prim is a declared primitive.
type Prim struct {
	Decl
	Kind   *decl.Kind
	Main   any
	Fields map[string]any
	// Staff are the processes that it brings along, nil if there are none, and
	// Tasks what the workers of a pool are given.
	Staff *Proc
	Tasks []*Task
}

// Proc is a declared process.
type Proc struct {
	Decl
	Parent   *Proc
	Forked   bool // a fork: step of its parent forks it
	Terminal bool
	Idle     bool
	Daemon   bool
	Of       *Prim    // the primitive that brings it along, nil for declared processes
	Bound    bool     // a program was put in the place of its script
	Run      *Program // what it runs instead of a script, nil for other processes
	Found    bool     // a child that the program above it forks by itself
	Match    *Match   // which of the processes that a program starts it is, nil: the rules say
	Limits   Limits
	Nice     *int
	Umask    *int
	// NiceAt and LimitsAt are the numbers of the places that set them, where the
	// process itself does so, 0 elsewhere.
	NiceAt, LimitsAt uint32
	// InheritAll: it inherits every primitive and every end, used or not.
	InheritAll bool
	Signals    []*Disposition
	Steps      []*Step
	Uses       []Use // what it inherits: for its script, by uses:, for its children
	Vars       []string
	Orders     []*Step // steps of the script that it carries out
}

// Use is a primitive, or a part of one, that a process inherits.
type Use struct {
	Prim *Prim
	Part string // "" where no part is named
	// Pass: only its children need it.
	Pass bool
}

// Disposition is what a signal does to a process at first.
type Disposition struct {
	Signal int
	Disp   string // default, ignore, handle
	Steps  []*Step
	Span   source.Span
}

// Always is a condition that must hold at all times.
type Always struct {
	Step *Step
	Expr *cond.Expr
}

// Step is one step.
type Step struct {
	ID      uint32
	Verb    *decl.ClassedVerb
	Name    string
	Span    source.Span // from its first key to the end of its last value
	VerbAt  source.Span // the verb's key
	Obj     *Value
	Args    []Arg
	Blocks  map[string][]*Step
	When    *cond.Expr
	Timeout *Value
	Error   string
	Into    string
	Points  float64
	Hint    string
	Needs   []*Step // checks that must have passed
	// Visibility of a check in graded results, "" for visible.
	Visibility string
	In         *Ref
	Back       string
	Order      int // number among the orders of its process
	// Conditional: it stands below a condition, so it may rightly never run.
	Conditional bool
	Proc        *Proc // whose script it belongs to, nil for the top-level script
}

// Unbound reports whether the step belongs to a process in whose place a program
// was put, so that nobody does it.
func (s *Step) Unbound() bool { return s.Proc != nil && s.Proc.Bound && s.In == nil }

// Arg is a parameter.
type Arg struct {
	Field *decl.Field
	Value *Value
}

// Get is the value of a parameter, nil if it was not given.
func (s *Step) Get(name string) *Value {
	for _, a := range s.Args {
		if a.Field.Name == name {
			return a.Value
		}
	}
	return nil
}

// Value is what stands in the file for a field: exactly one of Lit, Tmpl, Expr,
// List, Map and Refs says it, as Form tells.
type Value struct {
	Span source.Span
	Form Form
	Lit  any // canonical; durations are ints in nanoseconds, signals ints
	Tmpl string
	Expr *cond.Expr
	List []*Value
	Map  map[string]*Value
	Refs []*Ref
}

// Form says which field of a Value holds it.
type Form uint8

// The forms of a Value.
const (
	IsLit Form = iota
	IsTmpl
	IsExpr
	IsList
	IsMap
	IsRefs
)

// Ref is the use of a declared name.
type Ref struct {
	Name  string
	Prim  *Prim
	Proc  *Proc
	Task  *Task
	Index *cond.Expr // of name[i], nil for a single one or all of them
	Part  string     // a of phone.a, "" if none is named
	Elem  *cond.Expr // of row[elem], and the first of row[elem:to]; nil if absent
	To    *cond.Expr // end of row[elem:to], exclusive; nil if absent
	Slice bool       // row[elem:to], either may be absent
	Span  source.Span
}

// Decl is the declaration it refers to.
func (r *Ref) Decl() *Decl {
	switch {
	case r.Prim != nil:
		return &r.Prim.Decl
	case r.Task != nil:
		return &r.Task.Decl
	}
	return &r.Proc.Decl
}
