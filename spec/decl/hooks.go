package decl

// CheckCType tells whether a text names a C type, and why not. It is set by
// the package that has the types, so that the loader needs no list of them.
var CheckCType = func(string) error { return nil }
