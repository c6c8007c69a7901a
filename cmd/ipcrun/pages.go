package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ipcrun/engine/proc/sig"
	"ipcrun/schema"
	"ipcrun/spec/diag"
)

// The groups of pages that the language itself does not have.
const (
	signalPages schema.Group = "Signals"
	codePages   schema.Group = "Codes of diagnostics"
)

// oneOfGroup is what a single word of a group is called.
func oneOfGroup(g schema.Group) string {
	switch g {
	case signalPages:
		return "signal"
	case codePages:
		return "code of a diagnostic"
	}
	return g.One()
}

// allPages are the pages of the language, of the signals and of the codes of
// diagnostics.
func allPages() []schema.Page {
	out := schema.Pages()
	for _, s := range sig.All() {
		out = append(out, signalPage(s))
	}
	for _, c := range diag.Codes() {
		out = append(out, schema.Page{Group: codePages, Name: c.Code, Summary: c.Title, Doc: c.Explanation})
	}
	return out
}

// pressedFor are the keys that make a terminal send a signal.
var pressedFor = map[sig.Sig]string{sig.INT: "ctrl-c", sig.QUIT: "ctrl-\\", sig.TSTP: "ctrl-z"}

func signalPage(s sig.Sig) schema.Page {
	e := entryOf(s)
	p := schema.Page{Group: signalPages, Name: e.Name, Summary: strings.TrimSuffix(lowerFirst(e.Meaning), "."),
		Example: "{kill: driver, signal: " + e.Name + "}",
		Notes:   []string{fmt.Sprintf("number %d", e.Number), e.MeaningZh, "by default: " + signalsEnglish.actions[s.Default()]}}
	how := "can be handled, ignored and blocked"
	if !e.Handled || !e.Blockable {
		how = "can be neither handled nor ignored nor blocked"
	}
	p.Notes = append(p.Notes, how)
	if key, ok := pressedFor[s]; ok {
		p.Notes = append(p.Notes, key+" at a terminal sends it to the whole foreground group")
	}
	p.Doc = "While it is blocked or being handled, further ones of it are lost: a standard signal is pending once."
	switch {
	case s.Realtime():
		p.Doc = "While it is blocked or being handled, further ones of it queue, each with its sender and value."
	case !e.Handled:
		p.Doc = ""
	}
	return p
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// findPages lists the pages that a word may mean: its name, as wait; its name
// and whose it is, as event.wait or "wait (event)"; a signal in any spelling.
// No page: there is no such word.
func findPages(pages []schema.Page, word string) []*schema.Page {
	match := func(fits func(p *schema.Page) bool) []*schema.Page {
		var out []*schema.Page
		for i := range pages {
			if fits(&pages[i]) {
				out = append(out, &pages[i])
			}
		}
		return out
	}
	for _, fits := range []func(p *schema.Page) bool{
		func(p *schema.Page) bool { return p.Name == word || p.Title() == word },
		func(p *schema.Page) bool { return belongs(p, word) },
		func(p *schema.Page) bool { return strings.EqualFold(p.Name, word) },
	} {
		if found := match(fits); len(found) > 0 {
			return found
		}
	}
	if s, err := sig.Parse(word); err == nil {
		return match(func(p *schema.Page) bool { return p.Group == signalPages && p.Name == s.String() })
	}
	return nil
}

// mostSpoken bounds how many pages are named that speak of a word; one of which
// more than commonWord speak leads nowhere.
const mostSpoken, commonWord = 5, 20

// speakOf are the titles of pages that speak of a word which is no word of the
// language, in the order of pages: what C or Python calls what the language calls
// otherwise stands there.
func speakOf(pages []schema.Page, word string) []string {
	if len(word) < 3 {
		return nil
	}
	spoken, err := regexp.Compile(`(?i)(^|\W)` + regexp.QuoteMeta(word) + `(\W|$)`)
	if err != nil {
		return nil
	}
	var out []string
	for i := range pages {
		p := &pages[i]
		if spoken.MatchString(p.Summary) || spoken.MatchString(p.Doc) || spoken.MatchString(p.Source) {
			if t := p.Title(); !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	switch {
	case len(out) > commonWord:
		return nil
	case len(out) > mostSpoken:
		return append(out[:mostSpoken], fmt.Sprintf("and %d more", len(out)-mostSpoken))
	}
	return out
}

// belongs reports whether word is owner.name of a page, as event.wait for a
// verb and lock.holder for a fact.
func belongs(p *schema.Page, word string) bool {
	owner, name, dotted := strings.Cut(word, ".")
	if !dotted || name != p.Name {
		return false
	}
	if p.Of == owner {
		return true
	}
	return len(p.Tables) > 0 && (p.Group == schema.Facts || p.Group == schema.Parameters) &&
		slices.ContainsFunc(p.Tables[0].Rows, func(r schema.Row) bool { return r.Name == owner })
}

// pageNames lists the names of pages, each once, sorted.
func pageNames(pages []schema.Page) []string {
	var out []string
	for i := range pages {
		out = append(out, pages[i].Name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
