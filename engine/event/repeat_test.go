package event

import (
	"bytes"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// TestRepeats: whatever processes record, and in whatever order, the reader has of
// each record what a ring would have had of it whole.
func TestRepeats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rings [3]capture
		var writers [3]*Writer
		for i := range writers {
			writers[i] = NewWriter(&rings[i])
		}
		var d Reader
		var log Log
		var wants []Rec
		var slots []int
		at, seq := rapid.Int64Range(0, 1<<40).Draw(t, "start"), rapid.Uint64().Draw(t, "first")
		for range rapid.IntRange(1, 200).Draw(t, "records") {
			at += rapid.OneOf(rapid.Int64Range(-3, 300), rapid.Int64Range(maxShortGap-2, maxShortGap+2)).Draw(t, "later")
			seq += rapid.OneOf(rapid.Uint64Range(0, 2), rapid.Uint64Range(1<<32-1, 1<<32), rapid.Just[uint64](1<<64-1)).Draw(t, "more")
			r := Rec{
				Kind:  rapid.SampledFrom([]Kind{Op, Op, Op, Op, Print, Slept}).Draw(t, "kind"),
				Flags: uint8(rapid.SampledFrom([]int{0, 0, 0, FlagErr}).Draw(t, "flags")),
				Verb:  uint16(rapid.IntRange(0, 1).Draw(t, "verb")), Step: uint32(rapid.SampledFrom([]int{0, 1, 1 + repeatForms}).Draw(t, "step")),
				Obj: rapid.SampledFrom([]uint32{0, NoObj}).Draw(t, "obj"), At: at, Seq: seq,
				Value: rapid.OneOf(rapid.Just[any](nil), rapid.SampledFrom([]any{true, false, 0, 1, -1, 1 << 62}), values(1)).Draw(t, "value"),
			}
			if rapid.IntRange(0, 3).Draw(t, "range") == 0 {
				r.First, r.Last = 3, 5
			}
			slot := rapid.IntRange(0, 2).Draw(t, "slot")
			writers[slot].Write(&r)
			var whole capture
			Write(&whole, &r)
			want, err := Read(whole.b[4:])
			if err != nil {
				t.Fatal(err)
			}
			b := rings[slot].b[4:]
			if !log.Append(slot, b) {
				t.Fatalf("%x is no record", b)
			}
			wants, slots = append(wants, want), append(slots, slot)
			if rapid.IntRange(0, 3).Draw(t, "engine") == 0 {
				// What the engine makes of its own changes nothing of that.
				own := Rec{Kind: Op, Step: r.Step, At: at + 1000, Seq: seq + 7, Value: 5}
				log.Add(slot, &own)
				wants, slots = append(wants, own), append(slots, slot)
			}
			if got, more, err := d.Read(slot, b); err != nil || more || !reflect.DeepEqual(got, want) {
				t.Fatalf("%+v, %v, %v; want %+v", got, more, err, want)
			}
		}
		if log.Len() != len(wants) {
			t.Fatalf("%d records, want %d", log.Len(), len(wants))
		}
		for _, keep := range []func(n int, k Kind) bool{
			nil,
			func(n int, _ Kind) bool { return n%3 == 0 },
			func(_ int, k Kind) bool { return k == Op },
		} {
			n := 0
			log.Each(keep, func(slot int, r Rec) {
				for keep != nil && !keep(n, wants[n].Kind) {
					n++
				}
				if slot != slots[n] || !reflect.DeepEqual(r, wants[n]) {
					t.Fatalf("%d: %d, %+v; want %d, %+v", n, slot, r, slots[n], wants[n])
				}
				n++
			})
			for ; n < len(wants); n++ {
				if keep == nil || keep(n, wants[n].Kind) {
					t.Fatalf("%d is missing", n)
				}
			}
		}
	})
}

// TestNoRecords: what can be none is not kept, and none is made of it.
func TestNoRecords(t *testing.T) {
	for _, b := range [][]byte{nil, {1}, {shortBit, 0, 0}, {shortBit, 0, 0, 0, 0}, make([]byte, recHead-5), bytes.Repeat([]byte{shortBit}, shortMax+4)} {
		var l Log
		var d Reader
		if l.Append(0, b) || l.Len() != 0 {
			t.Errorf("%x is kept", b)
		}
		if _, _, err := d.Read(0, b[:min(len(b), 3)]); err == nil {
			t.Errorf("%x is read", b)
		}
	}
	// It repeats an int that it does not have.
	var ring capture
	w := NewWriter(&ring)
	var d Reader
	w.Write(&Rec{Kind: Op, Value: 7})
	if _, _, err := d.Read(0, ring.b[4:]); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Read(0, []byte{shortBit, 1, 0, 0}); err == nil {
		t.Error("a record without its value is read")
	}
}

// TestChunks: the pieces of memory of a log grow up to a size, and keep it.
func TestChunks(t *testing.T) {
	for i := range 1000 {
		if size := sizeOf(i); size < 4096 || size > chunkSize || i > 0 && size < sizeOf(i-1) || i > 10 && size != chunkSize {
			t.Errorf("chunk %d has %d bytes", i, size)
		}
	}
}

// TestRepeatsAreShort: an operation in a loop is one word, one with a value two, and
// others do not change that for long.
func TestRepeatsAreShort(t *testing.T) {
	var ring capture
	w := NewWriter(&ring)
	write := func(i, step int, v any, want int) {
		t.Helper()
		w.Write(&Rec{Kind: Op, Step: uint32(step), Obj: 1, At: int64(1e9 + 100*i), Seq: uint64(2*i + step), Value: v})
		if len(ring.b) != want {
			t.Errorf("round %d, step %d: %d bytes, want %d", i, step, len(ring.b), want)
		}
	}
	write(0, 0, nil, 40)
	write(0, 1, 7, 48)
	write(1, 0, nil, 16) // the stride is new
	write(1, 1, 8, 24)
	for i := 2; i < 100; i++ {
		write(i, 0, nil, 8)
		write(i, 1, i, 16)
	}
	w.Write(&Rec{Kind: Print, At: 2e9, Value: "a line"})
	write(3e7, 0, nil, 40) // long after
}

// TestReadNothing: bytes that no Writer has written are never a panic, kept or not.
func TestReadNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var d Reader
		var l Log
		for range 5 {
			slot, b := rapid.IntRange(0, 3).Draw(t, "slot"), rapid.SliceOfN(rapid.Byte(), 0, 80).Draw(t, "bytes")
			_, _, _ = d.Read(slot, b)
			l.Append(slot, b)
		}
		l.Each(nil, func(int, Rec) {})
		l.Each(func(n int, _ Kind) bool { return n%2 == 0 }, func(int, Rec) {})
	})
}
