package cond

import (
	"fmt"
	"strings"
	"sync"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

const (
	maxNodes = 500
	// maxBytes bounds the recursion of the parser: parentheses cost stack but
	// no nodes.
	maxBytes = 8 << 10
)

// parseConfig is only read by the parser. It has no environment, so whether
// f(x) is a built-in call never depends on the names in scope, and the engine
// and an agent see the same tree.
var parseConfig = sync.OnceValue(func() *conf.Config {
	c := conf.CreateNew()
	c.MaxNodes = maxNodes
	for name := range c.Builtins {
		if _, kept := builtinCalled(name); !kept {
			c.Disabled[name] = true
			delete(c.Builtins, name)
		}
	}
	return c
})

// tree is a parsed expression. What is only needed for messages (tokens,
// extents) is computed when first asked for.
type tree struct {
	src    string
	source file.Source
	root   ast.Node

	once sync.Once
	ext  *extents
}

// parse never panics, whatever the library does.
func parse(src string) (t *tree, err error) {
	defer func() {
		if r := recover(); r != nil {
			t, err = nil, fmt.Errorf("cannot be parsed: %v", r)
		}
	}()
	if len(src) > maxBytes {
		return nil, errTooLong
	}
	if strings.TrimSpace(src) == "" {
		return nil, errEmpty
	}
	p, err := parser.ParseWithConfig(src, parseConfig())
	if err != nil {
		return nil, err
	}
	return &tree{src: src, source: p.Source, root: p.Node}, nil
}

// span is the whole extent of n in runes, parentheses of its parts included.
func (t *tree) span(n ast.Node) (from, to int) {
	return t.extents().of(n)
}

// text is the source of n.
func (t *tree) text(n ast.Node) string {
	from, to := t.span(n)
	return string(t.extents().runes[from:to])
}

// quote is the source of n, cut to a length that fits into a message.
func (t *tree) quote(n ast.Node) string {
	return cut(t.text(n), 40)
}

func (t *tree) extents() *extents {
	t.once.Do(func() { t.ext = newExtents(t.src) })
	return t.ext
}

// cut shortens s to at most n runes.
func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
