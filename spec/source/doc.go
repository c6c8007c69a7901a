// Package source holds the bytes of a file and answers where in it something
// is: lines, columns counted in runes, and the terminal cells a piece of text
// takes up.
//
// A position is what a person sees in an editor: line and column start at 1
// and a column is one rune, whatever its width in bytes or cells. A byte
// order mark belongs to no line. A line ends at LF or CRLF; a CR by itself is
// a character like any other.
//
//	f := source.New("a.yaml", []byte("name: 司机\n"))
//	p := f.PosAt(9)                 // 1:8
//	f.Line(p.Line)                  // "name: 司机"
//	source.Cells("司机")            // 4
//
// It knows bytes, runes and cells. It must never know YAML, diagnostics or
// anything a scenario means.
package source
