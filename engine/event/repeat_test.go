package event

import (
	"bytes"
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
			got := d.Whole(slot, rings[slot].b[4:])
			if !bytes.Equal(got, whole.b[4:]) {
				t.Fatalf("%+v:\n%x, want\n%x", r, got, whole.b[4:])
			}
		}
	})
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

// TestWholeOfNothing: bytes that no Writer has written are no record, and never a panic.
func TestWholeOfNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var d Reader
		for range 5 {
			b := d.Whole(rapid.IntRange(0, 3).Draw(t, "slot"), rapid.SliceOfN(rapid.Byte(), 0, 80).Draw(t, "bytes"))
			_, _ = Read(b)
		}
	})
}
