package main

import (
	"fmt"
	"io"
	"strings"

	"ipcrun/schema"
	"ipcrun/spec/source"
)

// pageStyle says how pages look.
type pageStyle struct {
	width int // cells of a line
	bold  func(string) string
}

const margin = "  "

// writePage writes a page for a terminal.
func writePage(w io.Writer, p *schema.Page, st pageStyle) {
	fmt.Fprintf(w, "%s  %s\n", st.bold(p.Title()), oneOfGroup(p.Group))
	st.text(w, margin, upperFirst(schema.Plain(p.Summary))+".")
	if p.Example != "" {
		fmt.Fprintln(w)
		for _, line := range strings.Split(p.Example, "\n") {
			fmt.Fprintln(w, strings.TrimRight(margin+margin+line, " "))
		}
	}
	st.paragraphs(w, schema.Plain(p.Doc))
	if len(p.Notes) > 0 {
		fmt.Fprintln(w)
		st.text(w, margin, upperFirst(schema.Plain(strings.Join(p.Notes, "; ")))+".")
	}
	for i := range p.Tables {
		st.table(w, &p.Tables[i])
	}
	if p.Source != "" {
		fmt.Fprintln(w)
		st.text(w, margin, "Source: "+p.Source+".")
	}
	if len(p.See) > 0 {
		fmt.Fprintln(w)
		st.text(w, margin, "See "+strings.Join(p.See, ", ")+".")
	}
}

// text writes running text behind a margin.
func (st pageStyle) text(w io.Writer, indent, text string) {
	for _, line := range wrap(text, st.width-source.Cells(indent)) {
		fmt.Fprintln(w, indent+line)
	}
}

// paragraphs writes running text. Indented lines in it, as of code, stay as
// they are.
func (st pageStyle) paragraphs(w io.Writer, doc string) {
	for _, par := range strings.Split(strings.TrimSpace(doc), "\n\n") {
		if strings.TrimSpace(par) == "" {
			continue
		}
		fmt.Fprintln(w)
		if strings.HasPrefix(par, " ") || strings.HasPrefix(par, "\t") {
			for _, line := range strings.Split(par, "\n") {
				fmt.Fprintln(w, margin+source.Expand(line, 4))
			}
			continue
		}
		st.text(w, margin, par)
	}
}

// table writes each row as its name and what it takes, with the explanation
// below: explanations are too long for a column. Where names are long and the
// terminal is narrow, all of it stands below the name.
func (st pageStyle) table(w io.Writer, t *schema.Table) {
	fmt.Fprintf(w, "\n%s%s\n", margin, tableTitle(t))
	wide := 0
	for _, r := range t.Rows {
		wide = max(wide, source.Cells(r.Name))
	}
	stacked := wide+2 > st.width/2
	if stacked {
		wide = 2
	}
	for _, r := range t.Rows {
		head := r.Takes
		switch {
		case r.Default == "required":
			head += "; required"
		case r.Default != "":
			head += "; if absent: " + r.Default
		}
		doc := r.Doc
		if r.Example != "" {
			doc += ", as " + r.Example
		}
		indent := margin + margin + strings.Repeat(" ", wide+2)
		if stacked {
			fmt.Fprintln(w, margin+margin+st.bold(r.Name))
		}
		lines := append(wrap(schema.Plain(head), st.width-len(indent)), wrap(schema.Plain(doc), st.width-len(indent))...)
		for i, line := range lines {
			if i == 0 && !stacked {
				fmt.Fprintln(w, margin+margin+st.bold(r.Name)+strings.Repeat(" ", wide-source.Cells(r.Name)+2)+line)
				continue
			}
			fmt.Fprintln(w, indent+line)
		}
	}
}

func tableTitle(t *schema.Table) string {
	switch t.Title {
	case "key":
		return "Keys:"
	case "fact":
		return "Facts:"
	}
	return upperFirst(t.Title) + ":"
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// writePageList writes all names, group by group.
func writePageList(w io.Writer, pages []schema.Page, st pageStyle) {
	var last schema.Group
	var names []string
	flush := func() {
		if len(names) == 0 {
			return
		}
		fmt.Fprintln(w, st.bold(string(last)))
		st.text(w, margin, strings.Join(names, "  "))
		fmt.Fprintln(w)
		names = nil
	}
	for i := range pages {
		p := &pages[i]
		if p.Group != last {
			flush()
			last = p.Group
		}
		if len(names) == 0 || names[len(names)-1] != p.Name {
			names = append(names, p.Name)
		}
	}
	flush()
}
