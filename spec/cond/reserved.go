package cond

// Reserved reports whether a word cannot name a thing or a variable, because
// an expression would take it for an operator or a literal. The names of
// built-in functions are free: only a call means the function.
func Reserved(word string) bool {
	switch word {
	case "true", "false", "nil", "null",
		"and", "or", "not", "in",
		"contains", "startsWith", "endsWith", "matches",
		"let", "if", "else":
		return true
	}
	return false
}
