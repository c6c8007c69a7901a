package family

import (
	"path"
	"slices"
	"strings"
)

// Match says which of several children a declared process is.
type Match struct {
	// Command looks at the command line, When at what the process does; nil: it does
	// not matter.
	Command func(line string) bool
	When    func(*Member) bool
	// Order is its number among those that the rest of the match fits, from 1; 0:
	// any.
	Order int
}

// Want is a declared process, or name[n], that a program forks by itself.
type Want struct {
	Parent int // number of the Want that forks it, -1: the program
	Count  int
	Match  *Match
}

// Change is a name that has come to mean another process. Member is nil where the
// name means none any more.
type Change struct {
	Want, Index int
	Member      *Member
}

// Ambiguity is a name that several processes could have.
type Ambiguity struct {
	Want    int
	Members []*Member
}

// Finder holds declared names against a family.
type Finder struct {
	Family *Family
	// Program matches the process that is meant by the program itself; nil: the
	// rules say which.
	Program *Match
	wants   []Want
	bound   [][]*Member
	program *Member
	sure    bool // it is more than the latest of what a shell runs
	fixed   bool // and stays so, whatever the shell runs next
}

// NewFinder makes a Finder for the declared processes below a program, parents
// before their children.
func NewFinder(f *Family, program *Match, wants []Want) *Finder {
	d := &Finder{Family: f, Program: program, wants: wants}
	for _, w := range wants {
		d.bound = append(d.bound, make([]*Member, w.Count))
	}
	return d
}

// Real is the process that the program's name means, nil if none was seen. It is
// sure once a declared child was found below it, or when what is around it cannot be
// meant; fixed once the name cannot come to mean another.
func (d *Finder) Real() (m *Member, sure, fixed bool) { return d.program, d.sure, d.fixed }

// Bound is the process that a name means, nil while there is none.
func (d *Finder) Bound(want, index int) *Member { return d.bound[want][index] }

// Complete: every name means a process.
func (d *Finder) Complete() bool {
	for _, b := range d.bound {
		if slices.Contains(b, nil) {
			return false
		}
	}
	return true
}

// Resolve finds what the names mean now.
func (d *Finder) Resolve() (changes []Change, doubts []Ambiguity) {
	root := d.Family.Root()
	if root == nil {
		return nil, nil
	}
	d.findProgram(root)
	for w := range d.wants {
		c, a := d.resolve(w)
		changes = append(changes, c...)
		if a != nil {
			doubts = append(doubts, *a)
		}
	}
	return changes, doubts
}

// findProgram finds the process that the program's name means. It stays what it
// was after its end, as long as the wrapper around it does not go on to another.
func (d *Finder) findProgram(root *Member) {
	if d.Program != nil {
		for _, m := range d.Family.all {
			if (m.Parent == nil || !m.Cloned) && !m.Ended && d.Program.fits(m) {
				d.program, d.sure, d.fixed = m, true, true // the deepest comes last
			}
		}
		if d.program == nil {
			d.program = root
		}
		return
	}
	if d.fixed {
		return
	}
	now := standsFor(root, d.claimed)
	if d.sure && d.program.Ended && (now == root || now.Ended) {
		return
	}
	if now != d.program {
		d.program = now
		d.sure = false
	}
	if now != root && now.launched() {
		d.sure, d.fixed = true, true
	}
}

// launched: everything around a process is launchers, of whom nothing else can be
// meant.
func (m *Member) launched() bool {
	for p := m.Parent; p != nil; p = p.Parent {
		if !p.isLauncher() {
			return false
		}
	}
	return !m.Cloned && !m.isShell()
}

// claimed: a declared process has said that it is this one.
func (d *Finder) claimed(m *Member) bool {
	for i := range d.wants {
		w := &d.wants[i]
		if w.Match != nil && w.Match.Command != nil && w.Parent < 0 && m.Parent == d.Family.Root() && !m.Cloned && w.Match.fits(m) {
			return true
		}
	}
	return false
}

func (m *Match) fits(p *Member) bool {
	return (m.Command == nil || m.Command(p.Line())) && (m.When == nil || m.When(p))
}

// taken: a name other than those of want means this process.
func (d *Finder) taken(m *Member, want int) bool {
	for w, b := range d.bound {
		if w != want && slices.Contains(b, m) {
			return true
		}
	}
	return false
}

// hasOwn: a child of the process that a name means has a name of its own, so it is not
// whom that process has left behind in its place.
func (d *Finder) hasOwn(want int) bool {
	return slices.ContainsFunc(d.wants, func(w Want) bool { return w.Parent == want })
}

func (d *Finder) parent(w int) *Member {
	if p := d.wants[w].Parent; p >= 0 {
		return d.bound[p][0]
	}
	return d.program
}

// resolve finds the processes of one Want.
func (d *Finder) resolve(w int) (changes []Change, doubt *Ambiguity) {
	parent := d.parent(w)
	bound := d.bound[w]
	// What is no child of its parent as it is now was a helper of what it was.
	for i, m := range bound {
		if m != nil && (!d.below(m, parent) || m.isTracker() || m.isServer()) {
			bound[i] = nil
			changes = append(changes, Change{w, i, nil})
		}
	}
	changes = append(changes, d.closeUp(w)...)
	if parent == nil {
		return changes, nil
	}
	list := d.candidates(w, parent)
	want := &d.wants[w]
	var free []*Member
	for _, m := range list {
		if !slices.Contains(bound, m) {
			free = append(free, m)
		}
	}
	if len(free) == 0 {
		return changes, nil
	}
	if want.Match != nil && want.Match.Order > 0 {
		// Which is the n-th does not change any more when others come.
		if n := want.Match.Order - 1; bound[0] == nil && n < len(list) && list[n].settled {
			bound[0] = list[n]
			changes = append(changes, Change{w, 0, list[n]})
			d.settleOn(want, parent, list[n])
		}
		return changes, nil
	}
	if doubt := d.doubt(w, parent, list); doubt != nil {
		return changes, doubt
	}
	bind := func(i int, m *Member) {
		bound[i] = m
		changes = append(changes, Change{w, i, m})
	}
	if want.Count == 1 {
		switch was := bound[0]; {
		case was == nil:
			if m := d.only(free); m != nil {
				bind(0, m)
			}
		case was.Ended && free[0].settled && (!was.Cloned && free[0].Cloned || was.heir() == free[0]):
			bind(0, free[0])
		}
	} else {
		// One after the other, in the order of forking.
		for i := range bound {
			if bound[i] != nil {
				continue
			}
			if len(free) == 0 || !free[0].settled {
				break
			}
			bind(i, free[0])
			free = free[1:]
		}
	}
	if bound[0] != nil {
		d.settleOn(want, parent, bound[0])
	}
	return changes, nil
}

// closeUp takes their names from those behind a helper that had one of several, so
// that they get the names in the order of forking.
func (d *Finder) closeUp(w int) (changes []Change) {
	bound := d.bound[w]
	gap := slices.Index(bound, nil)
	if gap < 0 || slices.ContainsFunc(bound[gap:], func(m *Member) bool { return m != nil && m.Ended }) {
		return nil
	}
	for i := gap; i < len(bound); i++ {
		if bound[i] != nil {
			bound[i] = nil
			changes = append(changes, Change{w, i, nil})
		}
	}
	return changes
}

// settleOn: a declared child was found, so its parent is the program that is
// meant, and not what a shell runs beside it.
func (d *Finder) settleOn(want *Want, parent, child *Member) {
	if want.Parent < 0 && parent != d.Family.Root() {
		d.sure = true
		// A compiler runs others, too; it forks nobody who stays what it is.
		d.fixed = d.fixed || child.Cloned || want.Match != nil
	}
}

// only is the one that lives on of several of which one has to be taken, nil while
// nobody has settled.
func (d *Finder) only(free []*Member) *Member {
	var one *Member
	for _, m := range free {
		if !m.settled {
			return nil
		}
		if one == nil || one.Ended && !m.Ended {
			one = m
		}
	}
	return one
}

// below: a process is still where its name belongs.
func (d *Finder) below(m, parent *Member) bool {
	if parent == nil {
		return false
	}
	for p := m; p.Parent != nil; p = p.Parent {
		if p.Parent == parent {
			return p.Gen == parent.Execs || m.Ended && parent.Ended
		}
	}
	return false
}

// candidates are the processes that a name could mean, in the order of forking.
func (d *Finder) candidates(w int, parent *Member) []*Member {
	want := &d.wants[w]
	var kids []*Member
	var collect func(p *Member)
	collect = func(p *Member) {
		for _, k := range p.kids() {
			switch {
			case k.isServer():
				collect(k)
			case k.isTracker():
			default:
				kids = append(kids, k)
			}
		}
	}
	collect(parent)
	shell := parent.isShell()
	var out []*Member
	for _, k := range kids {
		if shell && (k.substitution(parent) || !k.background(parent) && (want.Match == nil || want.Match.Command == nil)) {
			continue
		}
		m := standsFor(k, func(x *Member) bool { return d.taken(x, w) })
		for range 4 {
			h := m.heir()
			if h == nil || d.hasOwn(w) {
				break
			}
			m = h
		}
		// The second child is the second, whoever has the first.
		ordered := want.Match != nil && want.Match.Order > 0
		if !ordered && d.taken(m, w) || slices.Contains(out, m) {
			continue
		}
		if want.Match != nil {
			if !want.Match.fits(m) && (m == k || !want.Match.fits(k)) {
				continue
			}
		} else if d.wantedBy(m, w) {
			continue
		}
		out = append(out, m)
	}
	if want.Match != nil {
		return out
	}
	return likeliest(out, parent)
}

// wantedBy: the match of a sibling fits, so it is no candidate for a name without
// one.
func (d *Finder) wantedBy(m *Member, w int) bool {
	for i := range d.wants {
		o := &d.wants[i]
		if i != w && o.Parent == d.wants[w].Parent && o.Match != nil && o.Match.Order == 0 && o.Match.fits(m) {
			return true
		}
	}
	return false
}

// likeliest prefers those that are still what their parent is.
func likeliest(list []*Member, parent *Member) []*Member {
	var same, others []*Member
	for _, m := range list {
		switch {
		case m.Cloned:
			same = append(same, m)
		case !m.Ended || parent.Ended:
			others = append(others, m)
		}
	}
	if len(same) > 0 {
		return same
	}
	return others
}

// doubt: more processes live at once than the name is for.
func (d *Finder) doubt(w int, parent *Member, list []*Member) *Ambiguity {
	want := &d.wants[w]
	var live []*Member
	for _, m := range list {
		if !m.settled {
			return nil
		}
		if !m.Ended {
			live = append(live, m)
		}
	}
	n := 0
	for _, b := range d.bound[w] {
		if b != nil && b.Ended {
			n++
		}
	}
	if len(live) == 0 && d.bound[w][0] == nil {
		live = list // all have ended before one was bound
	}
	if len(live)+n <= want.Count || n == want.Count {
		return nil
	}
	return &Ambiguity{Want: w, Members: live}
}

// Describe says what a process is, for a report.
func (m *Member) Describe() string {
	line := m.Name
	if len(m.Argv) == 0 && m.Cloned && m.Parent != nil {
		return m.Parent.Describe() // it had ended when it was first seen
	}
	for i, a := range m.Argv {
		switch {
		case i == 0:
			line = path.Base(a)
			continue
		case len(a) > 20 && strings.HasPrefix(a, "/"):
			a = "…/" + path.Base(a)
		}
		line += " " + strings.Join(strings.Fields(a), " ")
	}
	if r := []rune(line); len(r) > 60 {
		line = string(r[:59]) + "…"
	}
	return strings.TrimSpace(line)
}
