// Package diag holds what is wrong with a user's file: diagnostics with a
// place, a stable code and an explanation; the list that collects them; the
// renderer that shows them with the source line and a caret under it; and the
// suggestion of the name that was probably meant.
//
// A stage adds what it finds to a List and goes on, so that everything wrong
// with one file is reported at once:
//
//	var CodeUnknown = diag.Register("IPC014", "unknown verb", "A step has …")
//
//	l.Add(&diag.Diagnostic{
//		Code: CodeUnknown, File: f, Span: key.Span,
//		Summary: `unknown verb "prnt"`,
//		Hint:    diag.Suggest("prnt", verbs),
//	})
//
// It knows source text and terminals' cells. It must never know YAML,
// scenarios, processes or exit codes. Errors that are ours or the kernel's
// are ordinary wrapped errors and none of this package's business.
package diag
