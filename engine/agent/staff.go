package agent

import (
	"maps"

	"ipcrun/engine/script"
	"ipcrun/prims"
)

// serve is the life of a process that a primitive has brought along.
func (a *agent) serve(number int) {
	verb := a.kinds[number].Serve
	if verb == "" {
		a.doTasks(number)
		return
	}
	v, c := a.inner(number, verb, &prims.Values{})
	for a.m.End() == nil {
		err := v.Prim().Do(a.handles[number], c)
		if err == nil {
			return
		}
		if err != script.ErrInterrupted {
			die("%s: %v", a.name, err)
		}
		a.sig.deliver()
		a.runHandlers()
	}
}

// WithStaff adds to the facts of a primitive those of the processes that it has
// brought along.
func WithStaff(c *script.Common, name string, facts any, fact func(string) (any, bool)) any {
	f, ok := facts.(map[string]any)
	kind := prims.Get(c.Names[name].Kind)
	if !ok || kind == nil || kind.Staff == nil {
		return facts
	}
	full := name + "." + kind.Staff.Name
	if _, has := c.Names[full]; !has {
		return facts
	}
	return &staffed{facts: f, word: kind.Staff.Name, staff: func() any {
		v, _ := fact(full)
		return v
	}}
}

// staffed are the facts of a primitive, with those of its processes when they
// are asked for.
type staffed struct {
	facts map[string]any
	word  string
	staff func() any
}

// Field is one fact.
func (s *staffed) Field(name string) (any, bool) {
	if _, read := s.facts[name]; !read && name == s.word {
		s.facts[name] = s.staff()
	}
	v, ok := s.facts[name]
	return v, ok
}

// Map is all of them.
func (s *staffed) Map() map[string]any {
	whole := func(v any) any {
		if r, ok := v.(interface{ Map() map[string]any }); ok {
			return r.Map()
		}
		return v
	}
	out := maps.Clone(s.facts)
	v, _ := s.Field(s.word)
	if list, many := v.([]any); many {
		all := make([]any, len(list))
		for i := range list {
			all[i] = whole(list[i])
		}
		v = all
	}
	out[s.word] = whole(v)
	return out
}
