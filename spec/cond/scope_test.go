package cond

import (
	"errors"
	"fmt"
	"strings"

	"ipcrun/spec/decl"
)

// vars is the Env of the tests.
type vars map[string]any

func (v vars) Lookup(name string) (any, bool) {
	x, ok := v[name]
	return x, ok
}

func of(s decl.Shape) Type { return Of(s, decl.None) }

// course is a scope such as a scenario has: primitives, processes, an array of
// locks, a parameter, and functions of the run.
func course() *Scope {
	process := Object(map[string]Type{
		"pid": of(decl.Int), "state": of(decl.String), "ended": of(decl.Duration), "started": of(decl.Duration),
		"output": of(decl.String), "lines": Of(decl.List, decl.String), "exit_code": AnyType(), "vars": of(decl.Map),
		"catches": Of(decl.List, decl.String),
	}).Named("process")
	lock := Object(map[string]Type{"holder": of(decl.String), "locked": of(decl.Bool)}).Named("lock")
	names := func(args ...any) (any, error) { return []any{"SIGUSR1", "SIGUSR2"}, nil }
	return &Scope{
		Names: map[string]Type{
			"conductor": process, "driver": process,
			"jobs":   Object(map[string]Type{"size": of(decl.Int), "full": of(decl.Bool), "empty": of(decl.Bool)}).Named("queue"),
			"ready":  Object(map[string]Type{"set": of(decl.Bool), "waiters": of(decl.Int)}).Named("event"),
			"total":  Object(map[string]Type{"value": of(decl.Int)}).Named("value"),
			"fork":   ListOf(lock),
			"index":  of(decl.Int),
			"rounds": of(decl.Int), "ratio": of(decl.Float), "locked": of(decl.Bool), "who": of(decl.String),
			"anything": AnyType(),
		},
		Funcs: []Func{
			{Decl: decl.Func{Name: "signals", Result: decl.List, Params: []decl.Param{
				{Name: "from", Shape: decl.String, Class: "process"}, {Name: "to", Shape: decl.String, Class: "process"}}}, Call: names},
			{Decl: decl.Func{Name: "signals", Result: decl.List, Params: []decl.Param{
				{Name: "to", Shape: decl.String, Class: "process"}}}, Call: names},
			{Decl: decl.Func{Name: "twice", Result: decl.Int, Params: []decl.Param{{Name: "n", Shape: decl.Int}}},
				Call: func(args ...any) (any, error) { return 2 * args[0].(int), nil }},
			{Decl: decl.Func{Name: "broken", Result: decl.Int},
				Call: func(...any) (any, error) { return nil, errBroken }},
			{Decl: decl.Func{Name: "unbound", Result: decl.Int}},
		},
		Suggest: nearest,
	}
}

var errBroken = errors.New("out of order")

// nearest takes a candidate with the same letters but for one missing, added
// or changed, or the same first three.
func nearest(word string, candidates []string) string {
	for _, c := range candidates {
		if len(word) > 3 && len(c) > 3 && strings.EqualFold(word[:3], c[:3]) || strings.EqualFold(word, c) {
			return c
		}
	}
	for _, c := range candidates {
		if len(c) > 2 && (strings.TrimPrefix(word, c[:1]) == c[1:] || strings.Replace(c, word[1:], "", 1) == c[:1]) {
			return c
		}
	}
	return ""
}

func facts() vars {
	return vars{
		"conductor": map[string]any{"pid": 11, "ended": 1.2, "started": 0.1, "state": "ended", "output": "到站了，下车吧\n", "lines": []any{"到站了，下车吧"}, "exit_code": 0, "vars": map[string]any{"job": "one", "n": 3}},
		"driver":    map[string]any{"pid": 10, "ended": 1.1, "started": 0.0, "state": "ended", "output": "", "lines": []any{}, "exit_code": nil, "vars": map[string]any{}, "catches": []any{"SIGUSR1"}},
		"jobs":      map[string]any{"size": 2, "full": true, "empty": false},
		"ready":     map[string]any{"set": false, "waiters": 0},
		"total":     map[string]any{"value": 1999},
		"fork":      []any{map[string]any{"holder": "p1", "locked": true}, map[string]any{"holder": "", "locked": false}, map[string]any{"holder": "p3", "locked": true}},
		"index":     1, "rounds": 1000, "ratio": 0.5, "locked": true, "who": "ada", "anything": nil,
	}
}

// point draws the part of src that a problem blames.
func point(src string, p Problem) string {
	r := []rune(src)
	if p.From < 0 || p.To > len(r) || p.From > p.To {
		return fmt.Sprintf("out of range %d..%d", p.From, p.To)
	}
	return string(r[p.From:p.To])
}
