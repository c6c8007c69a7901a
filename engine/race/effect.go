package race

// effects gives numbers to the effects of operations: most are those of a few steps,
// again and again.
type effects struct {
	all     []Effect
	numbers map[Effect]uint32
	last    []uint32 // by verb: 1 + the number of its last effect, 0 for none
}

// number is the number of an effect that an operation of a verb has.
func (t *effects) number(verb uint16, e Effect) uint32 {
	for int(verb) >= len(t.last) {
		t.last = append(t.last, 0)
	}
	if last := t.last[verb]; last != 0 && t.all[last-1] == e {
		return last - 1
	}
	n, known := t.numbers[e]
	if !known {
		n = uint32(len(t.all))
		t.all = append(t.all, e)
	}
	// Those of one operation alone, by their key or number, never come again.
	if !known && e.Key == 0 && e.Before == 0 {
		if t.numbers == nil {
			t.numbers = map[Effect]uint32{}
		}
		t.numbers[e] = n
	}
	t.last[verb] = n + 1
	return n
}

func (t *effects) of(n uint32) *Effect { return &t.all[n] }
