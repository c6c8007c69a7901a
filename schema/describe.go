package schema

import (
	"strings"

	"ipcrun/spec/decl"
)

// described adds what an editor shows of a field.
func described(o object, f decl.Field) object {
	if _, isRef := o["$ref"]; isRef {
		// Beside a $ref a description is allowed, and is the field's own.
		o = object{"$ref": o["$ref"]}
	}
	absent := ""
	if f.Default != "" {
		absent = "If absent: " + f.Default + "."
	}
	o["description"] = paragraphs(f.Doc, absent, example(f.Example))
	return o
}

func example(s string) string {
	if s == "" {
		return ""
	}
	return "Example: " + s
}

// paragraphs joins texts by empty lines; the lines of one text by spaces.
func paragraphs(texts ...string) string {
	var out []string
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			out = append(out, sentence(unwrap(t)))
		}
	}
	return strings.Join(out, "\n\n")
}

// unwrap undoes line breaks within paragraphs.
func unwrap(s string) string {
	ps := strings.Split(s, "\n\n")
	for i, p := range ps {
		ps[i] = strings.ReplaceAll(p, "\n", " ")
	}
	return strings.Join(ps, "\n\n")
}

func join(words []string) string { return strings.Join(words, ", ") }

func text(v any) string {
	s, _ := v.(string)
	return s
}
