package observe

import (
	"reflect"
	"testing"
)

var samples = []Event{
	{Kind: Fork, At: 1, Pid: 2, Child: 3, Way: ByVfork},
	{Kind: Fork, At: 1 << 60, Pid: 0, Child: 4194304, Way: ByFork},
	{Kind: Exec, At: 5, Pid: 3, Exe: "/bin/sh", Argv: []string{"sh", "-c", "", "ü\x00\xff"}},
	{Kind: Exec, At: 5, Pid: 3},
	{Kind: Exit, At: 6, Pid: 3, Status: 0xff00},
	{Kind: Exit, At: 6, Pid: 3, Status: 0x8b},
	{Kind: Signal, At: 7, Pid: 3, Tid: 4, Signal: 64, Sender: 99, Uid: 4294967295, Code: FromQueue, Value: -7, Disposition: Caught},
	{Kind: Stop, At: 8, Pid: 3, Signal: 19},
	{Kind: Continue, At: 9, Pid: 3},
	{Kind: Begin, At: 9, Pid: 3, Tid: 3, Call: &SystemCall{Name: "read", Args: []Arg{{Name: "fd", Number: 3, Text: "3 pipe:[7]"}, {Name: "size", Number: 4096}}}},
	{Kind: Call, At: 9, Pid: 3, Tid: 3, Call: &SystemCall{Name: "kill", Args: []Arg{{Name: "pid", Number: -1}}, Result: -1, Error: "EPERM", Duration: 17,
		Results: []Arg{{Name: "read", Number: 3}}}},
	{Kind: Print, At: 9, Pid: 3, Tid: 4, Fd: 2, Text: "a line\n"},
	{Kind: Lost, At: 9, Pid: 3, Status: 15, Fd: 1, Text: "a line\n"},
}

func TestWire(t *testing.T) {
	var b []byte
	for i := range samples {
		b = samples[i].Append(b)
	}
	for i := range samples {
		e, rest, ok, err := Next(b)
		if err != nil || !ok {
			t.Fatalf("%d: %v %v", i, ok, err)
		}
		if !reflect.DeepEqual(e, samples[i]) {
			t.Errorf("%d: got %+v, want %+v", i, e, samples[i])
		}
		b = rest
	}
	if len(b) > 0 {
		t.Errorf("%d bytes are left", len(b))
	}
	// However it is cut, a part is no event and no mistake.
	first := samples[2].Append(nil)
	for n := range first {
		if _, rest, ok, err := Next(first[:n]); ok || err != nil || len(rest) != n {
			t.Errorf("%d bytes of %d: %v %v", n, len(first), ok, err)
		}
	}
	for _, bad := range []string{"\x00\x00\x00\x00", "\xff\xff\xff\x7f", "\x01\x00\x00\x00\x63", "\x02\x00\x00\x00\x01\x00"} {
		if _, _, ok, err := Next([]byte(bad)); ok || err == nil {
			t.Errorf("%q: %v %v", bad, ok, err)
		}
	}
}

func FuzzWire(f *testing.F) {
	for i := range samples {
		f.Add(samples[i].Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, rest, ok, err := Next(b)
		if !ok || err != nil {
			return
		}
		again, _, ok, err := Next(e.Append(nil))
		if !ok || err != nil || !reflect.DeepEqual(e, again) {
			t.Fatalf("%+v became %+v: %v %v, rest %d", e, again, ok, err, len(rest))
		}
	})
}

// TestNames: every value of the small types has a word.
func TestNames(t *testing.T) {
	seen := map[string]bool{}
	check := func(word string) {
		t.Helper()
		if word == "?" || word == "" || seen[word] {
			t.Errorf("%q is no word of its own", word)
		}
		seen[word] = true
	}
	for k := Fork; k <= Call; k++ {
		check(k.String())
	}
	clear(seen)
	for w := ByFork; w <= ByClone; w++ {
		check(w.String())
	}
	clear(seen)
	for c := FromUnknown; c <= ChildContinued; c++ {
		check(c.String())
	}
	clear(seen)
	for d := Unknown; d <= Taken; d++ {
		check(d.String())
	}
	if got := Kind(200).String(); got != "?" {
		t.Errorf("%q", got)
	}
}
