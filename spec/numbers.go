package spec

import (
	"strconv"
	"strings"

	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
	"ipcrun/spec/diag"
	"ipcrun/spec/ydoc"
)

// numeric: shapes whose plain spellings YAML 1.1 and 1.2 read differently.
func numeric(s decl.Shape) bool {
	switch s {
	case decl.Int, decl.Float, decl.Count, decl.Points:
		return true
	}
	return false
}

// plain is a scalar as a value of a tag, if it is one.
func plain(n *ydoc.Node, tag string) (any, bool) {
	if n.Kind != ydoc.Scalar || n.Quoted || n.Tag != tag {
		return nil, false
	}
	v, err := n.Data()
	return v, err == nil
}

// truth is what a word for true or false of YAML 1.1 is here, "" for others.
func truth(word string) string {
	switch strings.ToLower(word) {
	case "yes", "on", "y", "true":
		return "true"
	case "no", "off", "n", "false":
		return "false"
	}
	return ""
}

func (ld *loader) boolean(n *ydoc.Node, f *decl.Field) *Value {
	if b, ok := plain(n, "!!bool"); ok {
		return &Value{Span: n.Span, Lit: b}
	}
	word := truth(n.Value)
	if n.Kind != ydoc.Scalar || word == "" {
		ld.shape(n, f.Name, takes(f))
		return nil
	}
	d := ld.add(codeShape, n.Span, f.Name+": takes true or false, and "+spelled(n)+" is text", "", "write "+word)
	d.Fix = &diag.Fix{Span: n.Span, Text: word}
	return nil
}

// spelled is a scalar about as it stands in the file.
func spelled(n *ydoc.Node) string {
	if n.Quoted {
		return "\"" + n.Value + "\""
	}
	return n.Value
}

// number reads a whole number or a number, within the bounds of its field.
func (ld *loader) number(n *ydoc.Node, f *decl.Field) *Value {
	x, ok := plain(n, "!!int")
	if !ok && f.Shape != decl.Int {
		x, ok = plain(n, "!!float")
	}
	switch {
	case ok && ld.inBounds(n, f, x):
		return &Value{Span: n.Span, Lit: x}
	case ok:
	case n.Quoted && isNumber(n.Value):
		ld.add(codeShape, n.Span, f.Name+": takes "+takes(f)+", and "+spelled(n)+" is text", "", "leave out the quotes")
	default:
		ld.shape(n, f.Name, takes(f))
	}
	return nil
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

// inBounds reports a number that is outside the bounds of its field.
func (ld *loader) inBounds(n *ydoc.Node, f *decl.Field, x any) bool {
	num := 0.0
	switch y := x.(type) {
	case int:
		num = float64(y)
	case float64:
		num = y
	}
	least, most := f.Min, f.Max
	if f.Shape == decl.Points && !least.Given {
		least = decl.Num(0)
	}
	if (!least.Given || num >= least.Num) && (!most.Given || num <= most.Num) {
		return true
	}
	bounds := ""
	switch {
	case least.Given && most.Given:
		bounds = "from " + cond.Text(least.Num) + " to " + cond.Text(most.Num)
	case least.Given:
		bounds = "at least " + cond.Text(least.Num)
	default:
		bounds = "at most " + cond.Text(most.Num)
	}
	ld.add(codeShape, n.Span, f.Name+": is "+bounds+", not "+cond.Text(x), "", "")
	return false
}

// times reads how often something is done.
func (ld *loader) times(n *ydoc.Node, f *decl.Field) *Value {
	if x, ok := plain(n, "!!int"); ok {
		if x.(int) < 0 {
			ld.add(codeShape, n.Span, f.Name+": nothing is done "+n.Value+" times", "Write a whole number from 0, or forever.", "")
			return nil
		}
		return &Value{Span: n.Span, Lit: x}
	}
	if n.Kind == ydoc.Scalar && n.Value == "forever" {
		return &Value{Span: n.Span, Lit: "forever"}
	}
	if n.Kind == ydoc.Scalar {
		if hint := didYouMean(n.Value, []string{"forever"}); hint != "" {
			ld.add(codeShape, n.Span, f.Name+": takes "+takes(f)+", not \""+shorten(n.Value)+"\"", "", hint)
			return nil
		}
	}
	ld.shape(n, f.Name, takes(f))
	return nil
}

func (ld *loader) duration(n *ydoc.Node, f *decl.Field) *Value {
	if n.Kind != ydoc.Scalar {
		ld.shape(n, f.Name, takes(f))
		return nil
	}
	if d, ok := ld.durationText(n, n.Value); ok {
		return &Value{Span: n.Span, Lit: d}
	}
	return nil
}

// unitOf is the unit of the language that a word means, the word itself if
// nobody knows.
func unitOf(word string) string {
	switch word {
	case "millisecond", "milliseconds", "msec", "msecs", "millis", "毫秒":
		return "ms"
	case "sec", "secs", "second", "seconds", "秒":
		return "s"
	case "min", "mins", "minute", "minutes", "分", "分钟":
		return "m"
	case "hour", "hours", "hr", "hrs", "小时":
		return "h"
	}
	return word
}

// durationText reads a duration that stands at n, in nanoseconds.
func (ld *loader) durationText(n *ydoc.Node, text string) (int, bool) {
	d, err := ld.voc.Duration(text)
	if err == nil {
		return d, true
	}
	digits := strings.TrimLeft(text, "-+")
	end := len(digits) - len(strings.TrimLeft(digits, "0123456789."))
	number, unit := digits[:end], unitOf(strings.ToLower(strings.TrimSpace(digits[end:])))
	_, known := ld.voc.Duration("1" + unit)
	switch {
	case strings.HasPrefix(text, "-") && number != "" && (unit == "" || known == nil):
		ld.add(codeDuration, n.Span, "a duration is not negative", "", "")
	case decl.TooLong(text), decl.TooLong(number + unit):
		ld.add(codeDuration, n.Span, "\""+shorten(text)+"\" is too long", "A duration is "+decl.LongestDurationText()+".", "")
	case number != "" && unit == "":
		ld.add(codeDuration, n.Span, "the duration "+shorten(text)+" has no unit", "A bare number could be seconds, milliseconds or minutes.", "write "+text+"s or "+text+"ms")
	case number != "" && known == nil:
		ld.add(codeDuration, n.Span, "\""+shorten(text)+"\" is no duration", "", "write "+number+unit)
	default:
		ld.add(codeDuration, n.Span, "\""+shorten(text)+"\" is no duration", "", "write a number and a unit, as 500ms or 2s")
	}
	return 0, false
}
