package lattice

// policy is a statement of policy: the rooms of the house, from the ground up,
// and the rooms below that each may know. A line that is missing is a mistake,
// and so is one that no package needs any more. Adding a word here is a
// decision about the design; it is not a way to make a test pass.
const policy = `
# Text and its mistakes.
spec/source
spec/diag       < spec/source
# The vocabulary knows nothing of what it describes.
spec/decl
# One room each for the two languages that scenarios are written in.
spec/ydoc       < spec/source spec/diag
spec/cond       < spec/decl
spec            < spec/source spec/diag spec/decl spec/ydoc spec/cond

# Primitives know no scenario, no expression and no engine.
prims/arena
prims/sysv
prims/named     < prims/sysv
prims           < prims/arena prims/named prims/sysv spec/decl

# The log and the verdict know nothing else.
engine/event
engine/race     < engine/event

# A compiled script knows the vocabulary, not the file it came from.
engine/script   < spec/decl spec/cond prims

# Processes know no scenario. The names of signals and keys need no kernel.
engine/proc/internal/nearest
engine/proc/sig  < engine/proc/internal/nearest
engine/proc/keys < engine/proc/internal/nearest
# Python as tests and benchmarks want it: nothing but tests imports it.
engine/proc/python
engine/proc/stack
engine/proc     < engine/proc/sig engine/proc/keys engine/proc/stack
# Containment is below the engine, beside processes.
engine/sandbox/internal/filter
engine/sandbox/refuse < engine/sandbox/internal/filter
engine/sandbox  < engine/proc engine/observe engine/sandbox/internal/filter
# What a program does is seen from the kernel's side alone.
engine/observe  < engine/proc engine/proc/sig
engine/leader   < engine/proc prims/arena
engine/janitor  < engine/proc prims/named
engine/supervisor < engine/proc engine/observe engine/sandbox prims/arena
# Which process of a program is which: a pure function of what was seen.
engine/family

# An agent never sees spec.
engine/agent    < spec/decl prims prims/arena engine/event engine/script engine/proc engine/proc/sig

engine/plan     < spec spec/cond spec/decl prims engine/script engine/proc/sig engine/proc/keys
engine          < spec spec/decl prims prims/arena engine/event engine/race engine/script engine/plan engine/proc engine/proc/sig engine/proc/keys engine/leader engine/janitor engine/supervisor engine/family engine/sandbox engine/observe engine/agent prims/named

# The schema is made of descriptors.
schema          < spec spec/decl engine/plan

# The shipped scenarios are files; only their tests run them.
scenarios
# The primitives in scenarios, which only tests run.
prims/scenes

# Reports are functions of the source and the log.
cmd/ipcrun/internal/report  < spec/source spec/diag spec/ydoc engine/event
cmd/ipcrun/internal/lattice
# What the kernel says of signals; their names it does not know.
cmd/ipcrun/internal/sigprobe
# Measurements are scenarios like any other, and times from their logs.
cmd/ipcrun/internal/bench   < spec spec/source spec/diag spec/decl engine engine/event engine/plan
# A grade is a run, folded and cut down to what its reader may see.
cmd/ipcrun/internal/grade   < spec spec/source spec/diag spec/ydoc engine engine/event engine/plan cmd/ipcrun/internal/report
cmd/ipcrun      < spec spec/source spec/diag spec/decl spec/ydoc spec/cond engine engine/agent engine/event engine/plan engine/script engine/proc/sig engine/observe engine/sandbox schema cmd/ipcrun/internal/report cmd/ipcrun/internal/sigprobe cmd/ipcrun/internal/bench cmd/ipcrun/internal/grade
`

// outside says which packages may import which modules of others. A module
// for tests may be imported by the tests of any package and by nothing else.
const outside = `
gopkg.in/yaml.v3                    < spec/ydoc
github.com/expr-lang/expr           < spec/cond
github.com/mattn/go-runewidth       < spec/source
github.com/fatih/color              < spec/diag cmd/ipcrun/internal/report
github.com/hashicorp/go-multierror  < spec/diag engine
golang.org/x/sys                    < prims prims/arena prims/named prims/sysv engine engine/proc engine/observe engine/leader engine/janitor engine/supervisor engine/agent engine/sandbox engine/sandbox/refuse engine/sandbox/internal/filter
github.com/spf13/cobra              < cmd/ipcrun
github.com/spf13/pflag              < cmd/ipcrun
golang.org/x/term                   < cmd/ipcrun

github.com/rogpeppe/go-internal           < tests
github.com/santhosh-tekuri/jsonschema/v6  < tests
pgregory.net/rapid                        < tests
`

// kernelFree rooms build on any system, so that scenarios can be checked and reports
// made from a log on a student's laptop.
const kernelFree = `
spec/source spec/diag spec/decl spec/ydoc spec/cond spec
engine/event engine/race engine/script engine/plan
engine/proc/internal/nearest engine/proc/sig engine/proc/keys
schema cmd/ipcrun/internal/report
`

// kernel is what they must not import.
const kernel = `syscall os/exec os/signal unsafe net net/http C golang.org/x/sys/unix`
