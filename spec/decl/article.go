package decl

import "strings"

// Article is a noun with a or an before it, as it is spoken: an event, an rlock.
func Article(noun string) string {
	if noun == "rlock" || strings.ContainsRune("aeiouAEIOU", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}
