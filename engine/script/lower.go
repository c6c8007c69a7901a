package script

import (
	"fmt"
	"sort"
	"strings"

	"ipcrun/prims"
)

// A script is lowered to a flat table of instructions with jumps: the state of
// a machine is then a program counter, variables and loop counters, small and
// easy to copy, and stepping costs no recursion.

type opcode uint8

const (
	opAct        opcode = iota // a visible action
	opGuard                    // go on if the condition holds, else jump
	opJump                     //
	opRepeat                   // start counting
	opRepeatNext               // next round or jump
	opEach                     // start walking a list
	opEachNext                 // next element or jump
	opLet                      // assign variables
	opHandlerEnd               // back to where the signal came
	opOrderEnd                 // the ordered step, or the task, is done
	opGot                      // hand a result over to its variable, or jump if there is none
	opSucceeded                // a loop has ended well that was to end with an error
	opEnd                      // the script is done
)

type instr struct {
	op    opcode
	step  *Step
	verb  *Verb
	to    int
	slot  int // of the counter or the variable
	slot2 int // of the variable that a loop sets, -1: none; entry of a late handler
	to2   int // counter of each:
	cond  *expression
	val   valuer

	obj     valuer
	objExpr *expression
	targets []*target
	names   []string
	vals    []valuer
	exprs   map[string]*expression
	timeout valuer
	into    int // variable, -1: none
	act     Action
	late    []int // those of vals that are not literals
	settled bool  // the targets are the same each time
	noWait  bool
	part    bool // of a step that may still fail as it is expected to
	lets    []let
}

type let struct {
	slot int
	val  valuer
}

type lowering struct {
	common   *Common
	code     []instr
	vars     map[string]int
	hidden   int // lists being walked: variables without a name
	counters int
	err      error
}

func (l *lowering) fail(format string, args ...any) {
	if l.err == nil {
		l.err = fmt.Errorf("program: "+format, args...)
	}
}

func (l *lowering) emit(i instr) int {
	l.code = append(l.code, i)
	return len(l.code) - 1
}

func (l *lowering) here() int { return len(l.code) }

// variable is the slot of a variable, new or known.
func (l *lowering) variable(name string) int {
	if s, ok := l.vars[name]; ok {
		return s
	}
	s := len(l.vars) + l.hidden
	l.vars[name] = s
	return s
}

// hiddenVar is a fresh variable without a name.
func (l *lowering) hiddenVar() int {
	s := len(l.vars) + l.hidden
	l.hidden++
	return s
}

// counter is a fresh loop counter of n words.
func (l *lowering) counter(n int) int {
	s := l.counters
	l.counters += n
	return s
}

func (l *lowering) expr(src string) *expression {
	return &expression{src: strings.TrimRight(src, " \n")} // a folded block ends with a line feed
}

// steps lowers a list of steps.
func (l *lowering) steps(list []*Step) {
	for _, s := range list {
		l.step(s)
	}
}

func (l *lowering) step(s *Step) {
	guard := -1
	if s.When != "" {
		guard = l.emit(instr{op: opGuard, step: s, cond: l.expr(s.When)})
	}
	if s.In != nil {
		l.order(s)
	} else {
		v := Lookup(s.Verb, s.Class)
		switch {
		case v == nil:
			l.fail("no verb %q for %q", s.Verb, s.Class)
		case v.Lower != nil:
			v.Lower(l, s)
		default:
			l.action(v, s)
		}
	}
	if guard >= 0 {
		l.code[guard].to = l.here()
	}
}

// action emits a visible step with its parameters compiled.
func (l *lowering) action(v *Verb, s *Step) {
	in := instr{op: opAct, step: s, verb: v, into: -1}
	if s.Into != "" {
		in.into = l.variable(s.Into)
	}
	if s.Timeout != nil {
		in.timeout = newValuer(s.Timeout)
	}
	if o := s.Obj; o != nil {
		switch {
		case o.Ref != nil:
			l.target(&in, o.Ref)
		case o.Refs != nil:
			for _, r := range o.Refs {
				l.target(&in, r)
			}
		case o.Expr != "":
			in.objExpr = l.expr(o.Expr)
		default:
			in.obj = newValuer(o)
		}
	}
	keys := make([]string, 0, len(s.Args))
	for k := range s.Args {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		a := s.Args[k]
		switch {
		case a.Expr != "":
			if in.exprs == nil {
				in.exprs = map[string]*expression{}
			}
			in.exprs[k] = l.expr(a.Expr)
		case a.Ref != nil:
			l.target(&in, a.Ref)
		case k == "block" && a.Bool != nil:
			in.noWait = !*a.Bool
		default:
			in.names = append(in.names, k)
			in.vals = append(in.vals, newValuer(a))
		}
	}
	in.act = Action{Verb: v, Step: s.ID, Args: prims.Values{Names: in.names, Vals: make([]any, len(in.vals))}}
	l.emit(in)
}

func (l *lowering) target(in *instr, r *Ref) {
	t, err := newTarget(l.common, r)
	if err != nil {
		l.fail("%v", err)
		return
	}
	in.targets = append(in.targets, t)
}

// order emits the handing over of a step to another process.
func (l *lowering) order(s *Step) {
	in := instr{op: opAct, step: s, verb: orderVerb, into: -1}
	l.target(&in, s.In)
	in.act = Action{Verb: orderVerb, Step: s.ID}
	l.emit(in)
}
