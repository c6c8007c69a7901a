// Package decl is the vocabulary in which everything a scenario can say is
// described: primitive kinds, verbs, their parameters, facts, errors and
// functions. It knows no concrete one of them. The loader, the JSON Schema,
// the help texts, the reference tables and the typed names inside conditions
// all read these descriptors, so a thing is described once.
//
// It must never know: YAML, processes, any particular kind or verb.
package decl

// Shape says what a value in the file may look like and how it is decoded.
type Shape uint8

// The shapes. A shape whose comment says "evaluated" may hold ${…} in its
// strings; a static shape is fixed when the file is loaded.
const (
	None     Shape = iota // no value at all
	Any                   // any YAML data, evaluated
	Bool                  // true or false, evaluated
	Int                   // a whole number, evaluated
	Float                 // a number, evaluated
	String                // text, evaluated
	Text                  // text or a scalar that prints as text, evaluated
	Duration              // 500ms, 2s: a number with a unit, evaluated
	Cond                  // an expression that yields true or false
	Expr                  // an expression of any type
	Signal                // SIGINT, INT or 2, static
	Signals               // one Signal or a list of them, static
	Error                 // the name of an error, static
	Ident                 // a new variable name, static
	Ref                   // the name of a declared thing, with an optional [index]
	Refs                  // one Ref or a list of them
	Steps                 // a list of steps
	Vars                  // a map from new variable names to values, evaluated
	Count                 // a whole number, or forever, evaluated
	Key                   // a key combination such as ctrl-c, static
	List                  // a list of any data, evaluated
	CType                 // a C type by letter or name, static
	Pattern               // text to look for, or {regex: …}, evaluated
	Handler               // default, ignore or a list of steps
	Map                   // a map of any data, evaluated
	Points                // a number of points, static
	Command               // a list of texts, or one text
	Size                  // a number of bytes, with or without a unit: 64KiB
	Fields                // a mapping whose keys Sub describes
	Texts                 // a list of texts
	TextMap               // a mapping of texts
	Records               // a list of mappings whose keys Sub describes
	Matching              // text, or a mapping whose keys Sub describes
)

// Field is one key a descriptor understands.
type Field struct {
	Name     string
	Shape    Shape
	Doc      string   // one sentence, starts lower-case, no full stop
	Required bool     // absent is a mistake
	Default  string   // what absence means, as a reader would write it
	Enum     []string // the only texts allowed, if any
	Min, Max Bound    // of a number, inclusive
	Refs     []string // for Ref and Refs: the classes a name may have ("process", "pool", or a kind's name; "primitive" is any kind)
	Static   bool     // no ${…} here although the shape would allow it
	Sub      []Field  // for Fields and Records: the keys there are
	Example  string
}

// Place says where a verb may stand.
type Place uint8

const (
	InProcess Place = 1 << iota // in a process's steps or handlers
	InScript                    // in the top-level steps, finally
	Anywhere  = InProcess | InScript
)

// Verb is one step of the language. Several verbs may share a name when their
// objects are of different classes: wait on an event, wait for a process.
type Verb struct {
	Name    string
	Summary string  // one line for tables and hovering
	Doc     string  // semantics: blocking behaviour, units, errors, the source of it
	Object  *Field  // the verb's own value; nil: none is taken. Not Required: may stand alone
	Fields  []Field // its parameters, beside the common ones
	Place   Place
	Errors  []string // names of errors it can end with
	// AnyError: it may end as something else did, with any error there is.
	AnyError bool
	Result   Shape // what into: receives; None: it has no result
	Waits    bool  // it may block
	// Past: in finally: it stands as well, tells how it was, and waits for nothing.
	Past    bool
	Example string // one step, as YAML
}

// Fact is one thing an expression can ask of a declared thing.
type Fact struct {
	Name       string
	Shape      Shape    // Int, Float, Bool, String, List, Map, Any
	Elem       Shape    // of a List, if known
	Enum       []string // the only texts there are, if they are few
	Doc        string
	ScriptOnly bool // known to the engine alone: not usable inside a process
	Kernel     bool // of a process: the kernel tells it of any, declared or not
}

// Kind is one kind of primitive.
type Kind struct {
	Name    string
	Summary string
	Doc     string
	Main    *Field  // the value of the kind's own key; nil: it takes none
	Fields  []Field // sibling keys
	Facts   []Fact
	Verbs   []Verb // what can be done with it; the object is the primitive
	Example string // a declaration, as YAML
	Source  string // where the semantics come from
	// Parts are the ends that verbs name behind a dot, as a in send: phone.a;
	// nil: it has none. They are given the main value and the fields.
	Parts func(main any, fields map[string]any) []string
	// OneWay, if set, reports whether the first of two parts only receives and the
	// second only sends.
	OneWay func(main any, fields map[string]any) bool
	// Check, if set, says what is wrong with the main value and the fields taken
	// together, and which of the keys is to blame; "" where nothing is.
	Check func(main any, fields map[string]any) (key, problem string)
	// Elements: verbs may name elements, as row[2] or row[1:3].
	Elements bool
	// Named is the field that fixes the name by which the system knows an instance,
	// "" where there is none. No two instances can have the same.
	Named string
	// Staff, if set, describes the processes that an instance brings along.
	Staff *Staff
}

// Staff describes the processes that a primitive brings along: the workers of a
// pool, the manager of a queue. They are called after it, crew.worker[0] or
// jobs.manager; a fact of that name says what they are.
type Staff struct {
	Name string
	// Many: the main value says how many there are; else there is one.
	Many bool
	// Tasks: they do tasks for others, which steps name.
	Tasks bool
	// Key, if set, is the key of a declaration with which an instance has them.
	Key string
	// Part, if set, is the part of the primitive that they alone have.
	Part string
	// Ignores are signals that they ignore from their start.
	Ignores []int
}

// Err is an error a step can end with.
type Err struct {
	Name, Doc string
}

// Func is a function conditions may call.
type Func struct {
	Name    string
	Params  []Param
	Result  Shape
	Elem    Shape // of a List, if known
	Doc     string
	Example string
	// ScriptOnly: usable in the top-level script alone.
	ScriptOnly bool
}

// Param is one parameter of a Func. Class, if set, says that the argument is
// a string literal naming a declared thing of that class, checked at load.
type Param struct {
	Name  string
	Shape Shape
	Class string
	// Optional: it may be left out. Repeats: any number of them may follow.
	Optional, Repeats bool
}

// Bound is a bound of a Field; the zero value bounds nothing.
type Bound struct {
	Given bool
	Num   float64
}

// Num is the bound at a number.
func Num(f float64) Bound { return Bound{true, f} }
