package ydoc

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

const (
	maxDepth    = 64     // levels of nodes, aliases expanded
	maxExpanded = 10_000 // nodes that all aliases together repeat
	maxMistakes = 100    // diagnostics about one file's YAML
)

// builder turns the library's nodes into ours.
type builder struct {
	f        *source.File
	l        *diag.List
	done     map[*yaml.Node]*Node // anchored values; nil while one is being built
	anchors  []anchor
	used     map[*yaml.Node]bool
	expanded int // nodes repeated by aliases so far
	mistakes int
}

type anchor struct {
	node *yaml.Node
	span source.Span
}

func (b *builder) report(d *diag.Diagnostic) {
	b.mistakes++
	switch {
	case b.mistakes == maxMistakes+1:
		d = &diag.Diagnostic{Code: CodeTooMany, File: b.f, Span: d.Span, Summary: "too many mistakes: those from here on are not shown"}
	case b.mistakes > maxMistakes:
		return
	}
	d.File = b.f
	b.l.Add(d)
}

func (b *builder) span(start, end int) source.Span {
	return source.Span{Start: b.f.PosAt(start), End: b.f.PosAt(end)}
}

// build returns y as a Node and the offsets between which the whole of it
// stands, with its anchor and tag. A node is made for whatever is wrong.
func (b *builder) build(y *yaml.Node, depth int) (n *Node, start, end int) {
	start = b.f.Offset(source.Pos{Line: y.Line, Col: y.Column})
	if y.Kind == yaml.AliasNode {
		end = start + 1 + len(y.Value)
		return b.alias(y, start, end, depth), start, end
	}
	if depth > maxDepth {
		b.report(&diag.Diagnostic{Code: CodeDepth, Span: b.span(start, start+1),
			Summary: fmt.Sprintf("lists and mappings are nested more than %d deep", maxDepth)})
		return b.bad(start, start+1), start, start + 1
	}
	if y.Anchor != "" {
		b.done[y] = nil
		b.anchors = append(b.anchors, anchor{y, b.span(start, b.wordEnd(start))})
	}
	n = &Node{Tag: y.Tag, file: b.f, height: 1, size: 1}
	switch y.Kind {
	case yaml.MappingNode:
		end = b.mapping(n, y, start, depth)
	case yaml.SequenceNode:
		end = b.sequence(n, y, start, depth)
	default:
		end = b.scalar(n, y, start)
	}
	if y.Anchor != "" {
		b.done[y] = n
	}
	return n, start, max(end, start)
}

// bad is the stand-in for a value that was refused.
func (b *builder) bad(start, end int) *Node {
	return &Node{Kind: Null, Tag: "!!null", Bad: true, Span: b.span(start, end), file: b.f, start: start, height: 1, size: 1}
}

// add accounts for a child of n.
func (n *Node) add(child *Node) {
	n.height = max(n.height, child.height+1)
	n.size += child.size
}

func (b *builder) alias(y *yaml.Node, start, end, depth int) *Node {
	b.used[y.Alias] = true
	target, known := b.done[y.Alias]
	span := b.span(start, end)
	at := source.Pos{Line: y.Alias.Line, Col: y.Alias.Column}
	anchor := diag.Related{File: b.f, Span: source.Span{Start: at}, Message: "the anchor is here"}
	switch {
	case !known: // its anchor is too deep, which was reported
		return b.bad(start, end)
	case target == nil:
		b.report(&diag.Diagnostic{Code: CodeAliasCycle, Span: span, Related: []diag.Related{anchor},
			Summary: fmt.Sprintf("*%s stands inside the value that it repeats", y.Value)})
		return b.bad(start, end)
	case depth+target.height-1 > maxDepth:
		b.report(&diag.Diagnostic{Code: CodeDepth, Span: span, Related: []diag.Related{anchor},
			Summary: fmt.Sprintf("with what *%s repeats, lists and mappings are nested more than %d deep", y.Value, maxDepth)})
		return b.bad(start, end)
	case b.expanded+target.size > maxExpanded:
		b.report(&diag.Diagnostic{Code: CodeAliasBomb, Span: span, Related: []diag.Related{anchor},
			Summary: fmt.Sprintf("with *%s, aliases repeat more than %d values", y.Value, maxExpanded),
			Detail:  "Use name[n], repeat or a task in place of aliases to aliases."})
		return b.bad(start, end)
	}
	b.expanded += target.size
	n := *target
	n.Alias = span
	return &n
}

func (b *builder) sequence(n *Node, y *yaml.Node, start, depth int) int {
	n.Kind = Seq
	from := b.collection(n, y, start)
	end := from
	for _, c := range y.Content {
		child, _, e := b.build(c, depth+1)
		n.Items = append(n.Items, child)
		n.add(child)
		end = max(end, e)
	}
	end = b.flowEnd(from, end, '[', ']')
	n.Span = b.span(from, end)
	return end
}

func (b *builder) mapping(n *Node, y *yaml.Node, start, depth int) int {
	n.Kind = Map
	from := b.collection(n, y, start)
	if c := b.at(from); len(y.Content) > 0 && c != '{' && c != '?' {
		// The anchor or tag at the front may be the first key's.
		from = b.f.Offset(source.Pos{Line: y.Content[0].Line, Col: y.Content[0].Column})
	}
	end := from
	first := make(map[string]*Node)
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, keyStart, keyEnd := b.build(y.Content[i], depth+1)
		value, _, valueEnd := b.build(y.Content[i+1], depth+1)
		end = max(end, keyEnd, valueEnd)
		n.add(key)
		n.add(value)
		if b.key(y.Content[i], key, keyStart, keyEnd, first) {
			n.Pairs = append(n.Pairs, Pair{key, value})
		}
	}
	end = b.flowEnd(from, end, '{', '}')
	n.Span = b.span(from, end)
	return end
}

// key reports whether the key may be used. first holds the keys before it.
func (b *builder) key(y *yaml.Node, key *Node, start, end int, first map[string]*Node) bool {
	old := first[key.Value]
	switch {
	case key.Bad:
		return false
	case y.Kind == yaml.ScalarNode && y.Tag == "!!merge":
		b.report(&diag.Diagnostic{Code: CodeMerge, Span: key.Span,
			Summary: "the merge key << is not supported",
			Detail:  "It is no part of YAML 1.2, and what it overrides cannot be seen where it stands. Write the keys out, or use an alias for a whole value."})
		return false
	case key.Kind == Null:
		b.report(&diag.Diagnostic{Code: CodeKey, Span: key.Span, Summary: "a key is missing here",
			Detail: "A key must be a word. If the word is null or ~, quote it."})
		return false
	case key.Kind != Scalar:
		b.report(&diag.Diagnostic{Code: CodeKey, Span: b.span(start, end),
			Summary: fmt.Sprintf("%s cannot be a key", key.Kind),
			Detail:  "A key must be a word. ${…} at the start of a value needs quotes around the whole of it."})
		return false
	case old != nil:
		b.report(&diag.Diagnostic{Code: CodeDuplicate, Span: key.Span,
			Summary: fmt.Sprintf("the key %q stands twice in one mapping", key.Value),
			Detail:  "YAML would silently keep one of the two. Rename or remove one.",
			Related: []diag.Related{{File: b.f, Span: old.Span, Message: "the first one"}}})
		return false
	}
	first[key.Value] = key
	return true
}

// collection checks the tag of a list or mapping and returns where its own
// text starts.
func (b *builder) collection(n *Node, y *yaml.Node, start int) int {
	from := start
	if y.Anchor != "" || y.Style&yaml.TaggedStyle != 0 || b.at(start) == '!' && y.Kind == yaml.SequenceNode {
		from, _ = b.properties(start)
	}
	if tag, at := b.tag(start, from); tag != "" && tag != "!!seq" && tag != "!!map" {
		b.refuseTag(tag, at, at+len(tag))
	}
	if y.Kind == yaml.SequenceNode {
		n.Tag = "!!seq"
	} else {
		n.Tag = "!!map"
	}
	return from
}

func (b *builder) scalar(n *Node, y *yaml.Node, start int) int {
	data := b.f.Data
	from, propsEnd := b.properties(start)
	tag, tagAt := b.tag(start, propsEnd)
	n.Kind, n.Value = Scalar, y.Value
	switch {
	case y.Style&yaml.DoubleQuotedStyle != 0:
		n.style, n.Quoted = double, true
	case y.Style&yaml.SingleQuotedStyle != 0:
		n.style, n.Quoted = single, true
	case y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		n.style, n.Quoted, n.Block = block, true, true
	case y.Value == "":
		from = propsEnd // nothing follows: the next token is another node's
	}
	n.start = from
	end, _ := trace(data, from, n.style, y.Value, nil)
	n.Comment = b.comment(end)

	switch {
	case tag == "":
	case tag == "!!str":
		n.Quoted = true
	case strings.HasPrefix(tag, "!!") && tag == (&yaml.Node{Kind: yaml.ScalarNode, Value: y.Value}).ShortTag():
		n.Quoted = false
	default:
		b.refuseTag(tag, tagAt, end)
		n.Tag, n.Bad = tag, true
		if text := string(data[tagAt:end]); !strings.Contains(text, "\n") {
			// What stands there is what was meant, most likely.
			n.Value, n.start, n.style, n.Quoted = text, tagAt, plain, true
			from = tagAt
		}
	}
	if n.Tag == "!!null" {
		n.Kind = Null
	}
	n.Span = b.span(from, end)
	return end
}

func (b *builder) refuseTag(tag string, start, end int) {
	if strings.HasPrefix(tag, "!!") {
		b.report(&diag.Diagnostic{Code: CodeTag, Span: b.span(start, start+len(tag)),
			Summary: fmt.Sprintf("the tag %s does not fit its value", tag),
			Detail:  "Leave it out. Quotes make a text of anything."})
		return
	}
	text := string(b.f.Data[start:max(end, start+len(tag))])
	d := &diag.Diagnostic{Code: CodeTag, Span: b.span(start, start+len(tag)),
		Summary: fmt.Sprintf("YAML takes %s for a tag because of its leading !", tag),
		Detail:  "Quote the whole value if ! is part of it, as in a condition; conditions also know the word not."}
	if !strings.ContainsAny(text, "\n'") {
		d.Hint = "write '" + text + "'"
		d.Fix = &diag.Fix{Span: b.span(start, start+len(text)), Text: "'" + text + "'"}
	}
	b.report(d)
}

// unusedAnchors warns of anchors that no alias names.
func (b *builder) unusedAnchors() {
	for _, a := range b.anchors {
		if b.used[a.node] {
			continue
		}
		b.report(&diag.Diagnostic{Severity: diag.Warning, Code: CodeUnusedAnchor, Span: a.span,
			Summary: fmt.Sprintf("YAML takes &%s for an anchor because of its leading &, and no alias uses it", a.node.Anchor),
			Detail:  "If & is part of the value, quote the whole of it."})
	}
}

// at is the byte at o, 0 behind the end.
func (b *builder) at(o int) byte {
	if o < 0 || o >= len(b.f.Data) {
		return 0
	}
	return b.f.Data[o]
}

// wordEnd is the end of the anchor or tag at o, as the library reads it: an
// anchor goes on for letters, digits, - and _, a tag up to white space.
func (b *builder) wordEnd(o int) int {
	if b.at(o) == '!' {
		for strings.IndexByte(" \t\r\n\x00", b.at(o)) < 0 {
			o++
		}
		return o
	}
	for o++; isAnchorByte(b.at(o)); o++ {
	}
	return o
}

func isAnchorByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '-' || c == '_'
}

// properties skips the anchor and the tag in front of a value. next is where
// the value starts, if one follows; end is where the last of them ends.
func (b *builder) properties(o int) (next, end int) {
	next, end = o, o
	for b.at(next) == '&' || b.at(next) == '!' {
		end = b.wordEnd(next)
		next = skipTrivia(b.f.Data, end)
	}
	return next, end
}

// tag finds the tag among the properties between start and end.
func (b *builder) tag(start, end int) (string, int) {
	for o := start; o < end && (b.at(o) == '&' || b.at(o) == '!'); {
		stop := b.wordEnd(o)
		if b.at(o) == '!' {
			return string(b.f.Data[o:stop]), o
		}
		o = skipTrivia(b.f.Data, stop)
	}
	return "", 0
}

// comment returns the comment behind the scalar that ends at o.
func (b *builder) comment(o int) string {
	i := o
	for b.at(i) == ' ' || b.at(i) == '\t' {
		i++
	}
	if i == o || b.at(i) != '#' {
		return ""
	}
	line := string(b.f.Data[i:nextLine(b.f.Data, i)])
	return strings.TrimRight(line, "\r\n")
}

// flowEnd is the end of the list or mapping at start whose last item ends at
// end: behind the closing bracket if it is in flow style, end if it is not.
func (b *builder) flowEnd(start, end int, opener, closer byte) int {
	if b.at(start) != opener {
		return end
	}
	end = max(end, start+1)
	for o := end; o < len(b.f.Data); o++ {
		o = skipTrivia(b.f.Data, o)
		if b.at(o) == closer {
			return o + 1
		}
	}
	return end
}

// skipTrivia skips white space, line ends and comments.
func skipTrivia(data []byte, o int) int {
	for o < len(data) {
		switch c := data[o]; {
		case c == ' ', c == '\t', c == '\n', c == '\r':
			o++
		case c == '#' && (o == 0 || strings.IndexByte(" \t\n\r", data[o-1]) >= 0):
			o = nextLine(data, o)
		default:
			return o
		}
	}
	return o
}
