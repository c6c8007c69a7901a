package spec

import (
	"ipcrun/spec/decl"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
	"ipcrun/spec/ydoc"
)

func (ld *loader) signal(n *ydoc.Node, key string) (int, bool) {
	if n.Kind != ydoc.Scalar {
		ld.shape(n, key, "a signal, as SIGUSR1")
		return 0, false
	}
	num, err := ld.voc.Signals.Number(n.Value)
	if err != nil {
		hint, detail := didYouMean(n.Value, ld.voc.Signals.Names()), ""
		if hint == "" {
			detail = "Signals are written as in kill -l: SIGINT, INT or 2."
			if e := ld.names[n.Value]; e != nil && ld.verbsFor(e) != "" {
				// signal is what other languages do with a condition or a semaphore.
				detail = n.Value + " is " + e.what() + ". " + ld.verbsFor(e)
			}
		}
		ld.add(codeSignal, n.Span, "no signal is called \""+shorten(n.Value)+"\"", detail, hint)
		return 0, false
	}
	return num, true
}

// signals reads one signal or a list of them, whose disposition or mask is to
// be changed.
func (ld *loader) signals(n *ydoc.Node, f *decl.Field) *Value {
	items := []*ydoc.Node{n}
	if n.Kind == ydoc.Seq {
		items = n.Items
		if len(items) == 0 {
			ld.add(codeEmpty, n.Span, f.Name+": the list is empty", "", "")
			return nil
		}
	}
	var list []any
	for _, i := range items {
		if i.Bad {
			continue
		}
		if s, ok := ld.signal(i, f.Name); ok && ld.catchable(s, i.Span) {
			list = append(list, s)
		}
	}
	if len(list) < len(items) {
		return nil
	}
	return &Value{Span: n.Span, Lit: list}
}

func (ld *loader) catchable(sig int, span source.Span) bool {
	if ld.voc.Signals.Catchable(sig) {
		return true
	}
	ld.add(codeSignal, span, ld.voc.Signals.Name(sig)+" can be neither handled, ignored nor blocked", "The kernel keeps SIGKILL and SIGSTOP for itself (signal(7)).", "")
	return false
}

// dispositions reads signals: of a process.
func (ld *loader) dispositions(p *Proc, n *ydoc.Node) []*Disposition {
	if n.Kind != ydoc.Map {
		ld.shape(n, "signals", "a mapping, as {SIGINT: ignore}")
		return nil
	}
	var out []*Disposition
	first := map[int]source.Span{}
	for _, pair := range n.Pairs {
		sig, ok := ld.signal(pair.Key, "signals")
		if !ok || !ld.catchable(sig, pair.Key.Span) {
			continue
		}
		if at, dup := first[sig]; dup {
			ld.add(codeDuplicate, pair.Key.Span, ld.voc.Signals.Name(sig)+" is given twice", "", "", ld.declaredHere(at, "first here"))
			continue
		}
		first[sig] = pair.Key.Span
		d := &Disposition{Signal: sig, Span: pair.Key.Span}
		d.Disp, d.Steps = ld.handler(pair.Value, pair.Key.Value, &context{proc: p, handler: true})
		if d.Disp != "" {
			out = append(out, d)
		}
	}
	return out
}

// handler reads default, ignore, or a list of steps.
func (ld *loader) handler(n *ydoc.Node, key string, c *context) (string, []*Step) {
	const want = "default, ignore or a list of steps"
	dispositions := []string{"default", "ignore"}
	switch {
	case n.Bad:
	case n.Kind == ydoc.Scalar && contains(dispositions, n.Value):
		return n.Value, nil
	case n.Kind == ydoc.Scalar:
		ld.add(codeShape, n.Span, key+": takes "+want+", not \""+shorten(n.Value)+"\"", "", diag.Suggest(n.Value, dispositions))
	case n.Kind == ydoc.Map:
		ld.add(codeShape, n.Span, key+": takes "+want+", not a mapping", "Begin each step of the list with a dash, or put it into brackets: [{print: hello}].", "")
	case n.Kind == ydoc.Seq && len(n.Items) == 0:
		ld.add(codeEmpty, n.Span, "this handler does nothing", "To have the signal thrown away write ignore. A handler that is only to end a pause needs a step, as [{print: woken}].", "")
	case n.Kind == ydoc.Seq:
		return "handle", ld.steps(n, c)
	default:
		ld.shape(n, key, want)
	}
	return "", nil
}
