package agent

import (
	"testing"

	"ipcrun/engine/event"
	"ipcrun/engine/script"
	"ipcrun/prims"
	"ipcrun/prims/arena"
)

// BenchmarkStep is what one step of a script costs with its event recorded,
// in a process that nobody disturbs: the machine, the operation, the record.
func BenchmarkStep(b *testing.B) {
	lit := func(v any) *script.Arg { return script.Lit(v) }
	ref := func(n string) *script.Arg { return &script.Arg{Ref: &script.Ref{Name: n}} }
	for _, c := range []struct {
		name string
		body []*script.Step
	}{
		{"acquire release", []*script.Step{
			{ID: 1, Verb: "acquire", Class: "lock", Obj: ref("gate")},
			{ID: 2, Verb: "release", Class: "lock", Obj: ref("gate")},
		}},
		{"set clear", []*script.Step{
			{ID: 1, Verb: "set", Class: "event", Obj: ref("ready")},
			{ID: 2, Verb: "clear", Class: "event", Obj: ref("ready")},
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			mem := arena.InMemory(arena.Layout{Slots: 1, Prims: 128})
			a := &agent{
				arena: mem, self: mem.Self(0, -1), log: event.NewWriter(mem.Ring(0, -1)), passed: map[uint32]bool{},
				common: &script.Common{Params: map[string]any{}, Names: map[string]script.Name{
					"gate":  {Class: script.ClassPrimitive, Kind: "lock", First: 0},
					"ready": {Class: script.ClassPrimitive, Kind: "event", First: 1},
				}},
				prog: &script.Program{Vars: []string{"x", "y"}, Steps: []*script.Step{
					{ID: 3, Verb: "let", Obj: &script.Arg{Map: map[string]*script.Arg{"x": lit(0)}}},
					{ID: 4, Verb: "repeat", Obj: lit("forever"), Blocks: map[string][]*script.Step{"do": append(c.body,
						&script.Step{ID: 5, Verb: "print", Obj: lit("x"), When: "x < 0"})}},
				}},
			}
			a.handles = make([]any, 2)
			a.kinds = make([]*prims.Descriptor, 2)
			for i, kind := range []string{"lock", "event"} {
				d := prims.Get(kind)
				h, err := d.Attach(&prims.Attachment{Number: uint32(i), Mem: mem.Prims()[i*64 : i*64+64]})
				if err != nil {
					b.Fatal(err)
				}
				a.handles[i], a.kinds[i] = h, d
			}
			var err error
			if a.m, err = script.New(a.common, a.prog, -1, a); err != nil {
				b.Fatal(err)
			}
			a.sig = &signals{a: a, fd: -1}
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i++ {
				act := a.m.Next()
				a.do(act)
				if i&0x3ff == 0 {
					mem.Drain(0, func([]byte) {})
				}
			}
		})
	}
}
