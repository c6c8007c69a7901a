package family

import (
	"cmp"
	"slices"
)

// Sight is what one look saw of a process.
type Sight struct {
	Pid, Ppid int
	Start     uint64 // with Pid it never recurs; 0: not known
	State     byte   // R S D T t Z X, as in ps
	Name      string // at most 15 bytes
	Exe       string // "" of a zombie, and where the user may not look
	Argv      []string
	// Layout tells address spaces apart: a child has that of its parent until it
	// executes something. 0: not known.
	Layout  uint64
	Catches uint64
	Ignores uint64
	Blocks  uint64
	In, Out string // what descriptors 0 and 1 lead to
	Ticks   uint64 // processor time used
	// Blurred: it changed while it was looked at, so nothing is known but that it is
	// there.
	Blurred bool
}

// Member is a process of a family.
type Member struct {
	Sight
	Parent *Member // who forked it, as far as that was seen; nil: the program itself
	Kids   []*Member
	// Gen is how often its parent had executed something when it was forked.
	Gen int
	// Execs is how often it has done so itself.
	Execs int
	// Cloned: it runs what its parent ran when it was forked.
	Cloned  bool
	Ended   bool // it has ended, reaped or not
	Gone    bool // and was reaped
	layouts []uint64
	settled bool
	// unseen: it was not looked at since an observer told that it executes
	// something, so what its streams lead to may have changed.
	unseen bool
}

// Family is what is known of the processes below one program.
type Family struct {
	program int
	// observed: an observer tells of forks and execs, and a look adds only what it
	// does not tell.
	observed bool
	all      []*Member // in the order of forking, as far as known
	live     map[int]*Member
}

// New is a family of which nothing is known but the process that was started as
// the program.
func New(program int) *Family {
	return &Family{program: program, live: map[int]*Member{}}
}

// Observe says that from now on an observer tells of every fork, exec and end.
func (f *Family) Observe() {
	f.observed = true
	if f.Root() == nil { // gone before the first look: the observer tells what it was
		f.add(&Sight{Pid: f.program, State: 'R'}, nil)
	}
}

// Root is the process that was started as the program, nil before it was seen.
func (f *Family) Root() *Member {
	if len(f.all) > 0 && f.all[0].Pid == f.program {
		return f.all[0]
	}
	return nil
}

// Members are all that were ever seen, in the order of forking.
func (f *Family) Members() []*Member { return f.all }

// Find is the living or unreaped process with a pid, nil if there is none.
func (f *Family) Find(pid int) *Member { return f.live[pid] }

// Look takes in what a look at all processes below the supervisor saw.
func (f *Family) Look(all []Sight) {
	seen := map[int]bool{}
	var fresh []*Sight
	for i := range all {
		s := &all[i]
		seen[s.Pid] = true
		m := f.live[s.Pid]
		if s.Blurred {
			continue
		}
		if m != nil && m.Start != 0 && s.Start != 0 && m.Start != s.Start {
			f.gone(m) // its pid is used again
			m = nil
		}
		if m == nil {
			fresh = append(fresh, s)
			continue
		}
		m.update(s, f.observed)
	}
	if f.observed {
		fresh = nil
	}
	for pid, m := range f.live {
		if !seen[pid] {
			f.gone(m)
		}
	}
	slices.SortFunc(fresh, func(a, b *Sight) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Pid, b.Pid))
	})
	// Parents before their children, whatever numbers they have.
	for len(fresh) > 0 {
		var rest []*Sight
		for _, s := range fresh {
			if parent, ok := f.parentOf(s, fresh); ok {
				f.add(s, parent)
			} else {
				rest = append(rest, s)
			}
		}
		if len(rest) == len(fresh) {
			for _, s := range rest {
				f.add(s, f.Root())
			}
			break
		}
		fresh = rest
	}
	for _, m := range f.all {
		m.settle()
	}
}

// parentOf finds who forked a process that was not known. ok is false while its
// parent is among those that are still to be taken in.
func (f *Family) parentOf(s *Sight, fresh []*Sight) (parent *Member, ok bool) {
	if s.Pid == f.program {
		return nil, true
	}
	if p := f.live[s.Ppid]; p != nil {
		return p, true
	}
	for _, o := range fresh {
		if o.Pid == s.Ppid {
			return nil, false
		}
	}
	// An orphan whose parent was not seen with it: the last one that has ended and
	// left nobody, else the program itself.
	for i := len(f.all) - 1; i > 0; i-- {
		if m := f.all[i]; m.Ended && len(m.Kids) == 0 && m.Start <= s.Start && (m.Exe == "" || m.Exe == s.Exe) {
			return m, true
		}
	}
	return f.Root(), f.Root() != nil
}

func (f *Family) add(s *Sight, parent *Member) *Member {
	m := &Member{Sight: *s, Parent: parent, layouts: []uint64{s.Layout}, Ended: dead(s.State)}
	if parent != nil {
		parent.Kids = append(parent.Kids, m)
		m.Gen = parent.Execs
		switch at := slices.Index(parent.layouts, s.Layout); {
		case s.Layout != 0 && at >= 0:
			m.Cloned, m.Gen = true, at
		case s.Layout != 0 && parent.Layout != 0:
		case s.Exe != "" && parent.Exe != "":
			m.Cloned = s.Exe == parent.Exe && slices.Equal(s.Argv, parent.Argv)
		default:
			m.Cloned = s.Name == parent.Name
		}
	}
	if s.Pid == f.program && len(f.all) > 0 {
		f.all = slices.Insert(f.all, 0, m)
	} else {
		f.all = append(f.all, m)
	}
	f.live[s.Pid] = m
	return m
}

func dead(state byte) bool { return state == 'Z' || state == 'X' }

// update takes in how a known process looks now.
func (m *Member) update(s *Sight, observed bool) {
	was := m.Sight
	m.Sight, m.unseen = *s, false
	if dead(s.State) {
		// What a zombie was can no longer be seen.
		m.Ended = true
		m.Exe, m.Argv, m.Layout, m.In, m.Out = was.Exe, was.Argv, was.Layout, was.In, was.Out
		m.Catches, m.Ignores, m.Blocks = was.Catches, was.Ignores, was.Blocks
		return
	}
	if s.Layout == 0 {
		m.Layout = was.Layout
	}
	if observed && was.Exe != "" {
		// A look may be ahead of the events. What it executes is what they say, so that
		// it agrees with whom they say it has forked.
		m.Exe, m.Argv = was.Exe, was.Argv
	}
	executed := m.Layout != was.Layout && was.Layout != 0
	if m.Layout == 0 {
		executed = s.Exe != was.Exe && was.Exe != "" || len(was.Argv) > 0 && !slices.Equal(s.Argv, was.Argv)
	}
	switch {
	case observed && executed:
		m.layouts[len(m.layouts)-1] = m.Layout
	case executed:
		m.executed(m.Layout)
	case was.Layout == 0:
		m.layouts[len(m.layouts)-1] = m.Layout
	}
}

func (m *Member) executed(layout uint64) {
	m.Execs++
	m.Cloned = false
	m.settled = false
	m.layouts = append(m.layouts, layout)
}

func (f *Family) gone(m *Member) {
	m.Ended, m.Gone = true, true
	delete(f.live, m.Pid)
}

// latest is the process that has a pid, or was the last that had it: a look may find
// somebody gone before the observer has told what he did.
func (f *Family) latest(pid int) *Member {
	if m := f.live[pid]; m != nil {
		return m
	}
	for i := len(f.all) - 1; i >= 0; i-- {
		if f.all[i].Pid == pid {
			return f.all[i]
		}
	}
	return nil
}

// Forked takes in what an observer saw.
func (f *Family) Forked(parent, pid int) {
	if old := f.live[pid]; old != nil {
		f.gone(old)
	}
	p := f.latest(parent)
	s := Sight{Pid: pid, Ppid: parent, State: 'R'}
	if p != nil {
		s.Name, s.Exe, s.Argv, s.Layout, s.In, s.Out = p.Name, p.Exe, p.Argv, p.Layout, p.In, p.Out
		s.Catches, s.Ignores, s.Blocks = p.Catches, p.Ignores, p.Blocks
	}
	m := f.add(&s, p)
	if p != nil {
		m.Cloned, m.Gen = true, p.Execs
	}
}

// Execed takes in what an observer saw.
func (f *Family) Execed(pid int, exe string, argv []string) {
	m := f.latest(pid)
	if m == nil {
		return
	}
	m.Exe, m.Argv, m.Layout = exe, argv, 0
	m.Catches = 0 // exec resets what is caught
	m.unseen = true
	m.executed(0)
}

// Died takes in what an observer saw.
func (f *Family) Died(pid int) {
	if m := f.live[pid]; m != nil {
		m.Ended = true
		m.settle()
	}
}

// worthOfTicks is how much processor time makes a process one in its own right
// that never sleeps: what lies between fork and exec takes far less.
const worthOfTicks = 3

// settle notes whether a process is what it is going to be.
func (m *Member) settle() {
	if m.settled {
		return
	}
	own := m.Ended || m.State == 'S' || m.State == 'T' || len(m.Kids) > 0
	if m.Cloned && m.Ticks >= worthOfTicks {
		own = true
	}
	// What a shell forks changes its signals first, and then what it reads. Who is
	// about to execute something gives up handlers and what is ignored, as posix_spawn
	// and Python's subprocess do; nobody who stays what its parent is only does that.
	if p := m.Parent; p != nil && m.Cloned && !p.isShell() && (m.Catches&^p.Catches != 0 || m.Ignores&^p.Ignores != 0) {
		own = true
	}
	m.settled = own
}

// kids are the children that a process has forked since its latest exec.
func (m *Member) kids() []*Member {
	var out []*Member
	for _, k := range m.Kids {
		if k.Gen == m.Execs {
			out = append(out, k)
		}
	}
	return out
}

// Line is the command line as a person would write it.
func (m *Member) Line() string {
	if len(m.Argv) == 0 {
		return m.Name
	}
	line := ""
	for i, a := range m.Argv {
		if i > 0 {
			line += " "
		}
		line += a
	}
	return line
}
