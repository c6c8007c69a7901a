package script

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"ipcrun/prims"
)

// Common is what all scripts of a run know: what the names mean.
type Common struct {
	Names  map[string]Name `json:"names"`
	Params map[string]any  `json:"params,omitempty"`
	Always []Always        `json:"always,omitempty"`

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
	Class string `json:"c"`
	Kind  string `json:"k,omitempty"` // of a primitive
	// First is the slot of a process or the number of a primitive; those of
	// name[n] follow one another.
	First int `json:"f"`
	// Count is n of name[n], 0 for a single one.
	Count int `json:"n,omitempty"`
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
	Step  uint32   `json:"i"`
	Expr  string   `json:"x"`
	Prims []string `json:"p"`
}

// Program is the script of one process, of all processes of one name[n], or
// the top-level script. It travels to agents as JSON.
type Program struct {
	Name     string    `json:"name"`
	Steps    []*Step   `json:"steps,omitempty"`
	Handlers []Handler `json:"handlers,omitempty"`
	// Orders are the steps that the top-level script gives to this process
	// with in:, by number.
	Orders []*Step  `json:"orders,omitempty"`
	Vars   []string `json:"vars,omitempty"`
	// Uses are the primitives that a process of this program has.
	Uses []Use `json:"uses,omitempty"`
	Idle bool  `json:"idle,omitempty"`
	// Held is what the process has the kernel hold of it before anything else, nil
	// for what it inherits.
	Held *Held `json:"held,omitempty"`
	// Serves makes it the program of processes that a primitive brings along: its
	// number, and the tasks that they do if they are workers.
	Serves *int    `json:"serves,omitempty"`
	Tasks  []*Task `json:"tasks,omitempty"`
}

// Held is what the kernel holds of a process whatever that does. Its children
// inherit it.
type Held struct {
	Nice  *int `json:"nice,omitempty"`  // -20 to 19
	Umask *int `json:"umask,omitempty"` // 0 to 0777
	CPU   int  `json:"cpu,omitempty"`   // seconds of processor time, 0: as inherited
	// NiceAt and CPUAt are numbers of places in the file, as those of steps.
	NiceAt uint32 `json:"na,omitempty"`
	CPUAt  uint32 `json:"ca,omitempty"`
}

// Task is what workers do for others.
type Task struct {
	Name   string   `json:"name"`
	Number int      `json:"n"` // among all of the run
	Params []string `json:"params,omitempty"`
	Steps  []*Step  `json:"steps,omitempty"`
	Result *Arg     `json:"result,omitempty"`
	// Lines says where in the file its steps stand, for errors that travel to
	// the caller; the line of step 0 is that of the result.
	Lines map[uint32]int `json:"lines,omitempty"`
}

// Use is a primitive that a process inherits.
type Use struct {
	Name   string         `json:"name"` // total, fork[3]
	Kind   string         `json:"kind"`
	Number int            `json:"n"`
	Main   any            `json:"main,omitempty"`
	Fields map[string]any `json:"fields,omitempty"`
	Off    int            `json:"off"`
	Size   int            `json:"size"`
	// Fds numbers its descriptors among all of the run, in the order of roles;
	// -1: not inherited.
	Fds []int `json:"fds,omitempty"`
	// Pass says of which of them the process has only to hand them on to its
	// children.
	Pass []bool `json:"pass,omitempty"`
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
	Signal int     `json:"s"`
	Disp   string  `json:"d"`
	Steps  []*Step `json:"steps,omitempty"`
}

// Step is one step in the form that travels: verbs by name, expressions as
// text that was checked when the file was loaded.
type Step struct {
	ID      uint32             `json:"i"` // number in the table of positions, from 1
	Verb    string             `json:"v"`
	Class   string             `json:"c,omitempty"` // class or kind of its object, which selects among verbs of one name
	Obj     *Arg               `json:"o,omitempty"`
	Args    map[string]*Arg    `json:"a,omitempty"`
	Blocks  map[string][]*Step `json:"b,omitempty"`
	When    string             `json:"w,omitempty"`
	Error   string             `json:"e,omitempty"`
	Into    string             `json:"t,omitempty"`
	Timeout *Arg               `json:"d,omitempty"` // nanoseconds

	// Of steps of the top-level script alone:
	In         *Ref   `json:"-"`
	Background string `json:"-"`
	Order      int    `json:"-"`
}

// Arg is one value of a step: exactly one field is set; none of them is null. An
// empty mapping is one that is set.
type Arg struct {
	Int   *int            `json:"n,omitempty"`
	Float *float64        `json:"f,omitempty"`
	Str   *string         `json:"s,omitempty"`
	Bool  *bool           `json:"b,omitempty"`
	Tmpl  string          `json:"t,omitempty"` // text with ${…}
	Expr  string          `json:"x,omitempty"`
	List  *[]*Arg         `json:"l,omitempty"`
	Map   map[string]*Arg `json:"m,omitzero"`
	Ref   *Ref            `json:"r,omitempty"`
	Refs  []*Ref          `json:"rs,omitempty"`
}

// Ref names a declared thing, or the index-th of name[n], or a part of it.
type Ref struct {
	Name  string `json:"n"`
	Index string `json:"i,omitempty"` // an expression
	// Part is an end or part: a of phone.a.
	Part string `json:"p,omitempty"`
	// Elem is the element of an array, or the first of a slice, an expression;
	// To is the end of the slice, "" for a single element.
	Elem  string `json:"e,omitempty"`
	To    string `json:"to,omitempty"`
	Slice bool   `json:"s,omitempty"`
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

// Encode is the travelling form of a program or of Common.
func Encode(v any) ([]byte, error) { return json.Marshal(v) }

// Decode is the inverse of Encode.
func Decode(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber() // a float64 has no room for every int
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("program: %w", err)
	}
	switch x := v.(type) {
	case *Common:
		x.Params = canonical(x.Params).(map[string]any)
	case *Program:
		for i := range x.Uses {
			u := &x.Uses[i]
			u.Main = canonical(u.Main)
			u.Fields = canonical(u.Fields).(map[string]any)
		}
	}
	return nil
}

// canonical undoes what JSON does to numbers: whole ones are ints. Params and
// declarations are the only bare values that travel.
func canonical(v any) any {
	switch x := v.(type) {
	case json.Number:
		if i, err := strconv.Atoi(x.String()); err == nil {
			return i
		}
		f, _ := x.Float64()
		return f
	case []any:
		for i := range x {
			x[i] = canonical(x[i])
		}
	case map[string]any:
		if x == nil {
			return map[string]any{}
		}
		for k := range x {
			x[k] = canonical(x[k])
		}
	}
	return v
}
