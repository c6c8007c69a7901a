//go:build linux

package arena

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestRingKeepsEverything: any records, drained at any time, come out in
// order, whole, once, across the end of the buffer.
func TestRingKeepsEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := InMemory(Layout{Slots: 2})
		r := a.Ring(1, -1)
		var in, out [][]byte
		room := 0
		drain := func() {
			n := a.Drain(1, func(b []byte) { out = append(out, append([]byte(nil), b...)) })
			if n == 0 && room > 0 {
				t.Fatal("nothing was drained")
			}
			room = 0
			if a.Pending(1) {
				t.Fatal("pending after a drain")
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "records") {
			n := 8 * rapid.IntRange(1, MaxRecord/8).Draw(t, "size/8")
			// A record that wraps costs the rest of the buffer too.
			if room+2*n > RingSize/2 || rapid.IntRange(0, 4).Draw(t, "drain") == 0 {
				drain()
			}
			b := r.Reserve(n)
			if len(b) != n {
				t.Fatalf("reserved %d bytes, got %d", n, len(b))
			}
			body := make([]byte, n-4)
			for i := range body {
				body[i] = byte(len(in) + i)
			}
			copy(b[4:], body)
			if a.Pending(1) != (room > 0) {
				t.Fatal("a reserved record can be seen before it is published")
			}
			r.Publish(n, false)
			room += n
			in = append(in, body)
		}
		drain()
		if len(in) != len(out) {
			t.Fatalf("%d records in, %d out", len(in), len(out))
		}
		for i := range in {
			if string(in[i]) != string(out[i]) {
				t.Fatalf("record %d has changed", i)
			}
		}
		if a.Pending(0) {
			t.Fatal("the other ring has something")
		}
	})
}

// TestRingBadSizes: what cannot be a record is a mistake of the caller's.
func TestRingBadSizes(t *testing.T) {
	r := InMemory(Layout{Slots: 1}).Ring(0, -1)
	for _, n := range []int{0, -8, 7, 12, MaxRecord + 8} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a record of %d bytes was accepted", n)
				}
			}()
			r.Reserve(n)
		}()
	}
}

// TestFullRingMakesItsWriterWait: another process writes much more than fits;
// it waits for room, and nothing is lost.
func TestFullRingMakesItsWriterWait(t *testing.T) {
	const n = 20_000 // some 8 MB, 60 times the ring
	a := newArena(t, Layout{Slots: 1})
	cmd := writer(t, a, n)
	eventually(t, "the ring is full and its writer waits", func() bool { return a.Slot(0).full.Load() != 0 })
	head := a.Slot(0).head.Load()
	if head > RingSize || head < RingSize-MaxRecord {
		t.Errorf("%d bytes are in the ring of %d", head, RingSize)
	}
	// It does wait: nothing moves until somebody drains.
	time.Sleep(5 * time.Millisecond)
	if now := a.Slot(0).head.Load(); now != head {
		t.Errorf("the head moved from %d to %d although the ring is full", head, now)
	}
	c := &checker{t: t}
	eventually(t, "everything was drained", func() bool {
		a.Drain(0, c.take)
		return c.next == n
	})
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if a.Drain(0, c.take) != 0 {
		t.Error("there is more than was written")
	}
}

// TestRecordsSurviveTheirWriter: what was published before the writer was
// killed with SIGKILL is there, whole, wherever it was hit.
func TestRecordsSurviveTheirWriter(t *testing.T) {
	runs := 20
	if testing.Short() {
		runs = 3
	}
	for i := range runs {
		a := newArena(t, Layout{Slots: 1})
		cmd := writer(t, a, 0)
		c := &checker{t: t}
		eventually(t, "some records", func() bool {
			a.Drain(0, c.take)
			return c.next > 100*i
		})
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		before := c.next
		pending := a.Pending(0)
		n := a.Drain(0, c.take)
		if pending != (n > 0) || c.next != before+n {
			t.Errorf("%d records after its death, pending was %v", n, pending)
		}
	}
}

// TestWakingTheEngine: a record wakes the engine if the engine sleeps and
// wants it, once; a half full ring always does.
func TestWakingTheEngine(t *testing.T) {
	for _, tt := range []struct {
		name    string
		want    uint32
		notable bool
		size    int
		wakes   bool
	}{
		{"awake", WantNothing, true, 64, false},
		{"asleep, notable", WantNotable, true, 64, true},
		{"asleep, routine", WantNotable, false, 64, false},
		{"asleep, routine, anything is wanted", WantAny, false, 64, true},
		{"awake, a ring half full", WantNothing, false, MaxRecord, false},
		{"asleep, a ring half full", WantNotable, false, MaxRecord, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := InMemory(Layout{Slots: 1})
			fd := eventfd(t)
			r := a.Ring(0, fd)
			for range 2 {
				r.Reserve(tt.size)
				r.Publish(tt.size, false)
			}
			a.Want(tt.want)
			r.Reserve(tt.size)
			r.Publish(tt.size, tt.notable)
			if got := readEventfd(t, fd); (got != 0) != tt.wakes {
				t.Errorf("woken %d times, want %v", got, tt.wakes)
			}
			r.Reserve(8)
			r.Publish(8, true)
			if tt.wakes && readEventfd(t, fd) != 0 {
				t.Error("woken twice for one sleep")
			}
		})
	}
}
