package main

import (
	"encoding/json"
	"io"
)

// writeJSON writes a document for other programs, indented so that people can
// read it, too.
func writeJSON(w io.Writer, doc any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}
