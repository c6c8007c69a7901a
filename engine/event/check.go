package event

// Part is a sub-expression of a condition and its value.
type Part struct {
	Text  string `json:"text"`
	Value string `json:"value"`
}

// CheckValue is the value of a Checked record.
func CheckValue(ok bool, text, why string, parts []Part) map[string]any {
	list := make([]any, 0, len(parts))
	for _, p := range parts {
		list = append(list, []any{p.Text, p.Value})
	}
	return map[string]any{"ok": ok, "text": text, "why": why, "parts": list}
}

// Check is the outcome of an assertion.
type Check struct {
	OK    bool   `json:"ok"`
	Text  string `json:"text"`
	Why   string `json:"why,omitempty"`
	Parts []Part `json:"parts,omitempty"`
}

// CheckOf reads the value of a Checked record.
func CheckOf(v any) Check {
	m, _ := v.(map[string]any)
	c := Check{Text: asString(m["text"]), Why: asString(m["why"])}
	c.OK, _ = m["ok"].(bool)
	list, _ := m["parts"].([]any)
	for _, e := range list {
		if p, ok := e.([]any); ok && len(p) == 2 {
			c.Parts = append(c.Parts, Part{asString(p[0]), asString(p[1])})
		}
	}
	return c
}
