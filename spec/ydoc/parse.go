package ydoc

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"

	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// Parse reads f and returns the root of its one document. Everything wrong is
// added to l. The result is nil if the file could not be read as YAML; else
// it is a whole tree in which what was refused is left out or Bad, so that
// the caller can go on and find more. Parse never panics and never blocks; it
// takes time proportional to the size of the file, at most about a second
// more to find the place of a syntax error in a large one.
func Parse(f *source.File, l *diag.List) *Node {
	if d := checkText(f); d != nil {
		l.Add(d)
		return nil
	}
	docs, err := decode(bytes.NewReader(f.Data))
	if err != nil {
		if bug, ok := errors.AsType[*panicError](err); ok {
			l.Add(&diag.Diagnostic{Code: CodeInternal, File: f,
				Summary: "the YAML library failed: " + bug.Error(),
				Detail:  "This is a mistake in ipcrun, not yours. Please report it together with the file."})
			return nil
		}
		l.Add(syntaxError(f, err))
		return nil
	}
	b := &builder{f: f, l: l, done: make(map[*yaml.Node]*Node), used: make(map[*yaml.Node]bool)}
	var root *Node
	end := 0
	if len(docs) > 0 && len(docs[0].Content) > 0 {
		root, _, end = b.build(docs[0].Content[0], 1)
	}
	if len(docs) > 1 {
		l.Add(&diag.Diagnostic{Code: CodeDocuments, File: f, Span: secondDocument(f, docs[1], end),
			Summary: "a second document starts here",
			Detail:  "A line of --- starts another YAML document, and one file is one scenario. Put it into a file of its own, or delete the line."})
		if root == nil || root.Kind == Null {
			return nil
		}
	}
	if root == nil || root.Kind == Null && !root.Bad && root.Value == "" {
		l.Add(&diag.Diagnostic{Code: CodeEmpty, File: f, Summary: "the file is empty", Detail: smallest})
		return nil
	}
	b.unusedAnchors()
	return root
}

// panicError is a panic of the YAML library.
type panicError struct{ value any }

func (p *panicError) Error() string { return fmt.Sprint(p.value) }

// decode reads the documents of r. It stops after the second one: nobody
// needs a third.
func decode(r io.Reader) (docs []*yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			docs, err = nil, &panicError{p}
		}
	}()
	d := yaml.NewDecoder(r)
	for len(docs) < 2 {
		n := new(yaml.Node)
		if err := d.Decode(n); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		docs = append(docs, n)
	}
	return docs, nil
}

// secondDocument is the line of --- that starts doc, the second of f: the
// first such line behind end, where the first document's content ends.
func secondDocument(f *source.File, doc *yaml.Node, end int) source.Span {
	first := f.PosAt(end)
	if first.Col > 1 {
		first.Line++
	}
	for n := first.Line; n <= f.Lines(); n++ {
		line := f.Line(n)
		if len(line) >= 3 && line[:3] == "---" && (len(line) == 3 || line[3] == ' ' || line[3] == '\t') {
			return source.Span{Start: source.Pos{Line: n, Col: 1}, End: source.Pos{Line: n, Col: 4}}
		}
	}
	return source.Span{Start: source.Pos{Line: doc.Line, Col: doc.Column}}
}
