package script

import "slices"

// set assigns a variable, which is then the process's own.
func (m *Machine) set(place int, v any) {
	m.vars[place], m.isSet[place] = v, true
	if len(m.lent) > 0 {
		m.lent = slices.DeleteFunc(m.lent, func(l lent) bool { return l.place == place })
	}
}

// Vars is a snapshot of the variables that have a value.
func (m *Machine) Vars() map[string]any {
	out := map[string]any{}
	for name, s := range m.varIndex {
		if m.isSet[s] {
			out[name] = m.vars[s]
		}
	}
	return out
}

// Lookup finds a name for expressions: a variable, index, a param, or a fact.
func (m *Machine) Lookup(name string) (any, bool) {
	if s := m.variable(name); s >= 0 && m.isSet[s] {
		return m.vars[s], true
	}
	if name == "index" && m.index >= 0 {
		return m.index, true
	}
	if name == SiginfoName && len(m.frames) > 0 {
		return m.frames[len(m.frames)-1].info.facts(), true
	}
	if v, ok := m.common.Params[name]; ok {
		return v, true
	}
	if v, ok := m.snapshot[name]; ok {
		return v, true
	}
	v, ok := m.world.Fact(name)
	if ok {
		if m.snapshot == nil {
			m.snapshot = map[string]any{}
		}
		m.snapshot[name] = v
	}
	return v, ok
}

// fewVars is how many names are found faster one by one than by their hash.
const fewVars = 8

// variable is the place of a variable, -1 if there is none of that name.
func (m *Machine) variable(name string) int {
	if len(m.varNames) > fewVars {
		if s, ok := m.varIndex[name]; ok {
			return s
		}
		return -1
	}
	for s, n := range m.varNames {
		if n == name {
			return s
		}
	}
	return -1
}

// Refresh forgets the facts that expressions have seen: what is evaluated next
// sees a new snapshot. Within one expression a thing has one set of facts.
func (m *Machine) Refresh() {
	if len(m.snapshot) > 0 {
		clear(m.snapshot)
	}
}
