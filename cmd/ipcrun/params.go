package main

import (
	"io"
	"os"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"ipcrun/spec/diag"
	"ipcrun/spec/source"
	"ipcrun/spec/ydoc"
)

// paramOptions replace params of scenarios.
type paramOptions struct {
	given []string
	file  string
}

func (p *paramOptions) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&p.given, "param", nil, "give a param of the scenario another value: `NAME=VALUE` (repeatable)")
	cmd.Flags().StringVar(&p.file, "param-file", "", "a YAML `FILE` with params, as rounds: 10; --param beats it")
}

// values are the params that were given. What is wrong with the file is
// written to complaints; the error then says no more.
func (p *paramOptions) values(d *display, complaints *os.File) (map[string]string, error) {
	out := map[string]string{}
	if p.file != "" {
		if err := p.readFile(out, d, complaints); err != nil {
			return nil, err
		}
	}
	for _, kv := range p.given {
		name, value, ok := strings.Cut(kv, "=")
		if !ok || name == "" {
			return nil, usage("--param %s: write NAME=VALUE", kv)
		}
		out[name] = value
	}
	return out, nil
}

func (p *paramOptions) readFile(out map[string]string, d *display, complaints *os.File) error {
	file, err := os.Open(p.file)
	if err != nil {
		return usage("--param-file %s: %s", p.file, source.Reason(err))
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, ydoc.MaxSize+1))
	if err != nil {
		return usage("--param-file %s: %s", p.file, source.Reason(err))
	}
	f, l := source.New(p.file, data), &diag.List{}
	root := ydoc.Parse(f, l)
	switch {
	case root == nil:
	case root.Kind != ydoc.Map:
		l.Add(&diag.Diagnostic{File: f, Span: root.Span, Summary: "params are a mapping from names to values, as rounds: 10"})
	default:
		for _, pair := range root.Pairs {
			v := pair.Value
			text := f.Slice(v.Span)
			switch {
			case v.Kind == ydoc.Scalar && v.Quoted:
				text = v.Value
			case (v.Kind == ydoc.Seq || v.Kind == ydoc.Map) && !strings.HasPrefix(text, "[") && !strings.HasPrefix(text, "{"):
				l.Add(&diag.Diagnostic{File: f, Span: pair.Key.Span, Summary: "write this param on one line, as [a, b] or {a: 1}"})
				continue
			}
			out[pair.Key.Value] = text
		}
	}
	d.complain(complaints, l.All())
	if l.HasErrors() {
		return coded(exitUsage)
	}
	return nil
}

// args are the arguments that give the same params again.
func (p *paramOptions) args(values map[string]string) []string {
	names := make([]string, 0, len(values))
	for n := range values {
		names = append(names, n)
	}
	sort.Strings(names)
	var out []string
	for _, n := range names {
		out = append(out, "--param", n+"="+values[n])
	}
	return out
}
