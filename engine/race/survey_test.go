package race

import "testing"

// TestEffectsHaveNumbers: those that come again have one, those of one operation alone
// are not looked for again.
func TestEffectsHaveNumbers(t *testing.T) {
	var all effects
	write := func(i int) Effect { return Effect{Writes: true, From: i, To: i + 1} }
	for range 3 {
		for i := range 4 {
			n := all.number(uint16(i%2), write(i))
			if *all.of(n) != write(i) {
				t.Errorf("%d: %+v", i, *all.of(n))
			}
		}
	}
	if len(all.all) != 4 {
		t.Errorf("%d effects, want 4", len(all.all))
	}
	for i := range 3 {
		e := Effect{Acquire: true, Key: i + 1}
		if n := all.number(7, e); *all.of(n) != e {
			t.Errorf("%d: %+v", i, *all.of(n))
		}
	}
	if len(all.all) != 7 || len(all.numbers) != 4 {
		t.Errorf("%d effects, %d of which may come again; want 7 and 4", len(all.all), len(all.numbers))
	}
}

// TestContested: memory is worth looking at if two processes use it, one of them to
// write, one of them not atomically.
func TestContested(t *testing.T) {
	type use struct {
		slot int
		e    Effect
	}
	reads, writes, adds := Effect{Reads: true}, Effect{Writes: true}, Effect{Reads: true, Writes: true, Atomic: true}
	for _, c := range []struct {
		name string
		uses []use
		want bool
	}{
		{"nobody", nil, false},
		{"one", []use{{0, writes}, {0, reads}}, false},
		{"readers", []use{{0, reads}, {1, reads}}, false},
		{"a reader and a writer", []use{{0, reads}, {1, writes}}, true},
		{"a writer, a reader and the writer again", []use{{2, writes}, {0, reads}, {2, writes}}, true},
		{"atomic additions", []use{{0, adds}, {1, adds}}, false},
		{"atomic additions and a reader", []use{{0, adds}, {1, adds}, {2, reads}}, true},
	} {
		var u users
		for _, x := range c.uses {
			u.add(x.slot, &x.e)
		}
		if u.contested() != c.want {
			t.Errorf("%s: contested is %v", c.name, u.contested())
		}
	}
}
