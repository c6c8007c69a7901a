package cond

// words are the operators and literals of the expression language.
var words = map[string]bool{
	"true": true, "false": true, "nil": true, "null": true,
	"and": true, "or": true, "not": true, "in": true,
	"contains": true, "startsWith": true, "endsWith": true, "matches": true,
	"let": true, "if": true, "else": true,
}

// Reserved reports whether a word cannot name a thing or a variable, because
// an expression would take it for an operator or a literal. The names of
// built-in functions are free: only a call means the function.
func Reserved(word string) bool { return words[word] }
