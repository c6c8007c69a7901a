package ydoc

import "ipcrun/spec/diag"

// The codes of what can be wrong with a file before anybody asks what it says.
var (
	CodeTooLarge = diag.Register("IPC001", "file too large",
		"A scenario is at most 1 MiB. Repetition belongs into params, name[n] and repeat, data into files of its own.")
	CodeNotText = diag.Register("IPC002", "not a text file",
		"A scenario is UTF-8 text. This file has a byte that is not UTF-8, or a character that cannot be seen and that YAML would misread.")
	CodeEncoding = diag.Register("IPC003", "not UTF-8",
		"The file starts with the mark of UTF-16, as some Windows editors write it. Save it as UTF-8.")
	CodeEmpty = diag.Register("IPC004", "empty file",
		"There is nothing in the file but white space and comments.")
	CodeDocuments = diag.Register("IPC005", "more than one document",
		"A line of --- starts another YAML document. One file is one scenario.")
	CodeSyntax = diag.Register("IPC006", "invalid YAML",
		"The file cannot be read as YAML. Most often an expression needs quotes around the whole of it, or a line is not indented like its neighbours.")
	CodeTab = diag.Register("IPC007", "tab in the indentation",
		"YAML indents with spaces only.")
	CodeDuplicate = diag.Register("IPC008", "duplicate key",
		"The same key stands twice in one mapping. YAML would keep one of them without a word.")
	CodeMerge = diag.Register("IPC009", "merge key",
		"The key << is not supported: it is not part of YAML 1.2, and what it overrides cannot be seen. An alias as a whole value works.")
	CodeUnknownAnchor = diag.Register("IPC010", "unknown anchor",
		"A value that starts with * is an alias and repeats the value marked by the anchor & of the same name, which must come earlier in the file. Text that starts with * needs quotes.")
	CodeAliasCycle = diag.Register("IPC011", "alias inside its own anchor",
		"An alias stands inside the value that it repeats, so the value would be endless.")
	CodeAliasBomb = diag.Register("IPC012", "aliases repeat too much",
		"All aliases of a file together may repeat at most 10,000 values.")
	CodeDepth = diag.Register("IPC013", "nested too deeply",
		"Lists and mappings may be nested at most 64 deep.")
	CodeTag = diag.Register("IPC014", "YAML tag",
		"YAML takes a word with a leading ! for a tag and removes it from the value. Quote a condition such as '!ready', or write: not ready.")
	CodeKey = diag.Register("IPC015", "key is not a word",
		"A key must be a single word or text, not a list, a mapping or nothing.")
	CodeNumber = diag.Register("IPC016", "ambiguous number",
		"The value is spelled in a way that different YAML readers take for different numbers, or it is no number that can be worked with. Write it in decimal, or quote it if it is text.")
	CodeUnclosed = diag.Register("IPC017", "quote or bracket not closed",
		"The quote or bracket that opens here has no partner.")
	CodeInternal = diag.Register("IPC018", "YAML reader failed",
		"The YAML library failed on this file. This is a mistake in ipcrun; please report it with the file.")
	CodeUnusedAnchor = diag.Register("IPC019", "anchor that nobody uses",
		"YAML takes a word with a leading & for an anchor and removes it from the value. If it is part of the text, quote the whole of it.")
	CodeTooMany = diag.Register("IPC020", "too many mistakes",
		"Only the first hundred mistakes in the YAML of one file are shown.")
)
