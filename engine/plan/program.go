package plan

import (
	"slices"
	"strings"

	"ipcrun/engine/script"
	"ipcrun/spec"
)

// EnvPrefix begins the names of the variables by which programs find what they
// use, and EnvSteps is the one of the descriptor to ask for steps.
const (
	EnvPrefix = "IPCRUN_"
	EnvSteps  = "IPCRUN"
)

// Handed is what a program is told of a primitive that it uses.
type Handed struct {
	Env  string // the variable
	Prim int    // number of the primitive
	// Fd is the number of a descriptor among all of the run, -1: the program is
	// told the name that the primitive has in the system, or what the kernel calls
	// it.
	Fd int
	ID bool
}

// Handed lists what a program gets of the primitives that it uses: descriptors,
// and names in the system. It gets everything else by asking for steps.
func (p *Plan) Handed(d *spec.Proc) (out []Handed) {
	for _, u := range p.uses(d) {
		pr := &p.Prims[u.Number]
		env := EnvPrefix + strings.NewReplacer("[", "_", "]", "").Replace(u.Name)
		if pr.Kind.Address != nil {
			out = append(out, Handed{env, u.Number, -1, false})
		}
		if pr.Kind.ID != nil {
			out = append(out, Handed{env + "_id", u.Number, -1, true})
		}
		if pr.Kind.Roles == nil {
			continue
		}
		for k, role := range pr.Kind.Roles(pr.Args()) {
			if !role.Handed || u.Fds[k] < 0 {
				continue
			}
			name := env
			if role.Part != "" {
				name += "_" + role.Part
			}
			out = append(out, Handed{name, u.Number, u.Fds[k], false})
		}
	}
	return out
}

// asked leaves of what a program uses that which it operates on by asking for
// steps: what it does not hold itself.
func (p *Plan) asked(uses []script.Use) []script.Use {
	return slices.DeleteFunc(uses, func(u script.Use) bool {
		pr := &p.Prims[u.Number]
		if pr.Kind.Address != nil {
			return true
		}
		if pr.Kind.Roles != nil {
			for _, role := range pr.Kind.Roles(pr.Args()) {
				if role.Part != "" {
					return true // an end that somebody else has keeps its end away
				}
			}
		}
		return false
	})
}
