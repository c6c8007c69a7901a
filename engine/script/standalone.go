package script

// Standalone is a condition outside any script: always:.
type Standalone struct {
	condition
}

// NewStandalone compiles a condition against a World.
func NewStandalone(src string, c *Common, w World) *Standalone {
	m := &Machine{common: c, world: w, index: -1}
	return &Standalone{condition{e: &expression{src: src}, m: m}}
}
