package race

import "slices"

// channel passes on what operations of one sort knew to those of another: what was
// put to who gets, what was taken out to who puts in its place.
type channel struct {
	released clock   // joined clocks of the releases that anybody comes after
	free     int     // acquires that need no release, counted: it is -1 if each needs all before it
	given    []clock // releases that no acquire needs yet
}

// counted: an acquire comes after as many releases as it needs.
func (h *channel) counted() bool { return h.free >= 0 }

// mostGiven bounds how many releases are kept apart. Beyond it the oldest count as
// needed, which may hide a race and never makes one up.
const mostGiven = 1000

// release adds what a process knows to what is passed on.
func (f *finder) release(h *channel, c clock) {
	if !h.counted() {
		f.join(&h.released, c)
		return
	}
	if len(h.given) == mostGiven {
		f.spend(h)
	}
	// Memory of one that was needed already does for this one.
	if last := len(f.spare) - 1; last >= 0 {
		k := f.spare[last]
		f.spare = f.spare[:last]
		copy(k, c)
		h.given = append(h.given, k)
		return
	}
	h.given = append(h.given, slices.Clone(c))
}

// needed is what the next acquire comes after. Of a channel that lets n through, the
// k-th acquire needs k-n releases, and which ones is not for it to choose.
func (f *finder) needed(h *channel) clock {
	if h.free > 0 {
		h.free--
	} else if len(h.given) > 0 {
		f.spend(h)
	}
	return h.released
}

// spend makes the oldest release one that every later acquire comes after.
func (f *finder) spend(h *channel) {
	k := h.given[0]
	f.join(&h.released, k)
	f.spare = append(f.spare, k)
	h.given = h.given[1:]
}

// all joins everything that was released to a clock.
func (h *channel) all(c clock) {
	c.join(h.released)
	for _, k := range h.given {
		c.join(k)
	}
}

// loosen ends the counting: each acquire comes after all releases before it.
func (f *finder) loosen(h *channel) {
	for len(h.given) > 0 {
		f.spend(h)
	}
	h.free = -1
}

// join adds what a process knows to a clock that may not be there yet.
func (f *finder) join(to *clock, c clock) {
	if *to == nil {
		*to = make(clock, f.n+1)
	}
	to.join(c)
}
