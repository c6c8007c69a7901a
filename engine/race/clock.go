package race

// clock is a vector clock: how far each process is known to have come.
type clock []uint32

func (c clock) join(o clock) {
	for i, v := range o {
		if v > c[i] {
			c[i] = v
		}
	}
}
