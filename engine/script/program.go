package script

import (
	"fmt"
	"strconv"

	"ipcrun/prims"
)

// Common is what all scripts of a run know: what the names mean.
type Common struct {
	Names  map[string]Name
	Params map[string]any
	Always []Always

	numbered map[string][]string // by class: names in the order of their numbers
}

// NameOf is the full name of the n-th primitive or of the process in slot n,
// "?" if there is none. It belongs to one goroutine.
func (c *Common) NameOf(class string, n int) string {
	list, made := c.numbered[class]
	if !made {
		for name, d := range c.Names {
			if d.Class != class {
				continue
			}
			for i := range max(d.Count, 1) {
				for len(list) <= d.First+i {
					list = append(list, "?")
				}
				list[d.First+i] = d.Full(name, i)
			}
		}
		if c.numbered == nil {
			c.numbered = map[string][]string{}
		}
		c.numbered[class] = list
	}
	if n < 0 || n >= len(list) {
		return "?"
	}
	return list[n]
}

// Classes of names.
const (
	ClassProcess   = "process"
	ClassPrimitive = "primitive"
	ClassParam     = "param"
	ClassTask      = "task"
)

// Name is what a declared name stands for.
type Name struct {
	Class string
	Kind  string // of a primitive
	// First is the slot of a process or the number of a primitive; those of
	// name[n] follow one another.
	First int
	// Count is n of name[n], 0 for a single one.
	Count int
}

// Full is the name of the i-th: fork[3], or the name itself.
func (n Name) Full(name string, i int) string {
	if n.Count == 0 {
		return name
	}
	return name + "[" + strconv.Itoa(i) + "]"
}

// Always is a condition that must hold at all times, as far as it concerns
// primitives: whoever has operated on one of them checks it.
type Always struct {
	Step  uint32
	Expr  string
	Prims []string
}

// Program is the script of one process, of all processes of one name[n], or
// the top-level script. What is added here is added to travel.go as well.
type Program struct {
	Name     string
	Steps    []*Step
	Handlers []Handler
	// Orders are the steps that the top-level script gives to this process
	// with in:, by number.
	Orders []*Step
	Vars   []string
	// Uses are the primitives that a process of this program has.
	Uses []Use
	Idle bool
	// Held is what the process has the kernel hold of it before anything else, nil
	// for what it inherits.
	Held *Held
	// Output is how much it may print, bytes, 0: DefaultOutput.
	Output int
	// Serves makes it the program of processes that a primitive brings along: its
	// number, and the tasks that they do if they are workers.
	Serves *int
	Tasks  []*Task
}

// Held is what the kernel holds of a process whatever that does. Its children
// inherit it.
type Held struct {
	Nice  *int // -20 to 19
	Umask *int // 0 to 0777
	CPU   int  // seconds of processor time, 0: as inherited
	// NiceAt and CPUAt are numbers of places in the file, as those of steps.
	NiceAt uint32
	CPUAt  uint32
}

// Task is what workers do for others.
type Task struct {
	Name   string
	Number int // among all of the run
	Params []string
	Steps  []*Step
	Result *Arg
	// Lines says where in the file its steps stand, for errors that travel to
	// the caller; the line of step 0 is that of the result.
	Lines map[uint32]int
}

// Use is a primitive that a process inherits.
type Use struct {
	Name   string // total, fork[3]
	Kind   string
	Number int
	Main   any
	Fields map[string]any
	Off    int
	Size   int
	// Fds numbers its descriptors among all of the run, in the order of roles;
	// -1: not inherited.
	Fds []int
	// Pass says of which of them the process has only to hand them on to its
	// children.
	Pass []bool
}

// Args are the fields of the declaration.
func (u *Use) Args() prims.Args { return prims.Args{Main: u.Main, Fields: u.Fields} }

// Dispositions of a signal.
const (
	Default = "default"
	Ignore  = "ignore"
	Handle  = "handle"
)

// Handler is the disposition of one signal.
type Handler struct {
	Signal int
	Disp   string
	Steps  []*Step
}

// Step is one step in the form that travels: verbs by name, expressions as
// text that was checked when the file was loaded.
type Step struct {
	ID      uint32 // number in the table of positions, from 1
	Verb    string
	Class   string // class or kind of its object, which selects among verbs of one name
	Obj     *Arg
	Args    map[string]*Arg
	Blocks  map[string][]*Step
	When    string
	Error   string
	Into    string
	Timeout *Arg // nanoseconds

	// Of steps of the top-level script alone:
	In         *Ref
	Background string
	Order      int
}

// Arg is one value of a step. One field is set, an empty mapping counting as set;
// where none is, the value is null.
type Arg struct {
	Int   *int
	Float *float64
	Str   *string
	Bool  *bool
	Tmpl  string // text with ${…}
	Expr  string
	List  *[]*Arg
	Map   map[string]*Arg
	Ref   *Ref
	Refs  []*Ref
}

// Ref names a declared thing, or the index-th of name[n], or a part of it.
type Ref struct {
	Name  string
	Index string // an expression
	// Part is an end or part: a of phone.a.
	Part string
	// Elem is the element of an array, or the first of a slice, an expression;
	// To is the end of the slice, "" for a single element.
	Elem  string
	To    string
	Slice bool
}

// Lit makes an Arg of a canonical value.
func Lit(v any) *Arg {
	switch x := v.(type) {
	case nil:
		return &Arg{}
	case bool:
		return &Arg{Bool: &x}
	case int:
		return &Arg{Int: &x}
	case float64:
		return &Arg{Float: &x}
	case string:
		return &Arg{Str: &x}
	case []any:
		l := make([]*Arg, len(x))
		for i, e := range x {
			l[i] = Lit(e)
		}
		return &Arg{List: &l}
	case map[string]any:
		m := make(map[string]*Arg, len(x))
		for k, e := range x {
			m[k] = Lit(e)
		}
		return &Arg{Map: m}
	}
	panic(fmt.Sprintf("script: %T is no value of the language", v))
}
