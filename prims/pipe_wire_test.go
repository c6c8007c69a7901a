//go:build linux

package prims

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"ipcrun/engine/proc/python"
)

// TestPipeFrames: what is in the pipe is what Connection.send_bytes writes.
func TestPipeFrames(t *testing.T) {
	r := twoway(t)
	peer := r.procs[1].h.ends[1].fd
	r.do(0, send("a", map[string]any{"n": 1, "x": []any{1.5, "é"}}))
	var b [100]byte
	n, err := unix.Read(peer, b[:])
	want := "\x00\x00\x00\x19{\"n\":1,\"x\":[1.5,\"é\"]}"
	want = string(binary.BigEndian.AppendUint32(nil, uint32(len(want)-4))) + want[4:]
	if err != nil || string(b[:n]) != want {
		t.Errorf("%q %v, want %q", b[:n], err, want)
	}
	// The long form is accepted for any length.
	long := append([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 4}, "true"...)
	for _, piece := range [][]byte{long[:2], long[2:7], long[7:13], long[13:]} {
		if _, err := unix.Write(peer, piece); err != nil {
			t.Fatal(err)
		}
		if len(piece) != 3 {
			r.wants(0, pipeOrder{verb: "recv", part: "a", noWait: true}, nil, WouldBlock)
		}
	}
	r.wants(0, recv("a"), true, "")
	for _, bad := range []struct{ bytes, says string }{
		{"\x00\x00\x00\x06\x80\x04\x95abc", "json.dumps"},
		{"\x00\x00\x00\x03{1}", "no JSON"},
		{"\x00\x00\x00\x00", "ends too early"},
		{"\x80\x00\x00\x00", "no message"},
	} {
		if _, err := unix.Write(peer, []byte(bad.bytes)); err != nil {
			t.Fatal(err)
		}
		if got := r.wants(0, recv("a"), nil, Invalid); !strings.Contains(got.Text, bad.says) {
			t.Errorf("%q: %s", bad.bytes, got.Text)
		}
	}
	// Somebody else sends at the same end as a process of the run.
	if _, err := unix.Write(peer, []byte("\x00\x00\x00\x011\x00\x00\x00\x0222")); err != nil {
		t.Fatal(err)
	}
	r.do(1, send("b", pattern(200)))
	if _, err := unix.Write(peer, []byte("\x00\x00\x00\x03333")); err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{1, 22, pattern(200), 333} {
		r.wants(0, recv("a"), v, "")
	}
	r.wants(0, pipeOrder{verb: "recv", part: "a", noWait: true}, nil, WouldBlock)
}

// TestPipeJSON: a value comes back as what it was, and Python reads the same.
func TestPipeJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := pipeValue(3).Draw(t, "value")
		b, err := appendJSON(nil, v, 0)
		if err != nil {
			t.Fatal(err)
		}
		back, err := parseJSON(b)
		if err != nil || !reflect.DeepEqual(back, v) {
			t.Fatalf("%#v is %s and comes back as %#v %v", v, b, back, err)
		}
		if !json.Valid(b) {
			t.Fatalf("%s is no JSON", b)
		}
	})
	for text, want := range map[string]any{
		`1`: 1, `-0`: 0, `1.0`: 1.0, `1e2`: 100.0, `"\u00e9\ud83d\ude00\udcff\/\b"`: "é😀\xff/\b", ` [ 1 , {"a" : null} ] `: []any{1, map[string]any{"a": nil}},
		`-Infinity`: math.Inf(-1), `1e999`: math.Inf(1), `{"a":1,"a":2}`: map[string]any{"a": 2}, `"\ud800"`: "\ufffd",
	} {
		if got, err := parseJSON([]byte(text)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v %v", text, got, err)
		}
	}
	for _, text := range []string{``, ` `, `01`, `1.`, `.5`, `-`, `1 2`, `"a`, `"\x"`, `"\u12"`, "\"\n\"", `[1`, `[1,]`, `{a:1}`, `{"a" 1}`, `{"a":1,}`, `tru`, `'a'`, `9223372036854775808`, strings.Repeat("[", 2000), `"\`} {
		if v, err := parseJSON([]byte(text)); err == nil {
			t.Errorf("%s is %v", text, v)
		}
	}
	if _, err := appendJSON(nil, make(chan int), 0); err == nil {
		t.Error("a channel is no value")
	}
	deep := any(nil)
	for range maxJSONDepth + 1 {
		deep = []any{deep}
	}
	if _, err := appendJSON(nil, deep, 0); err == nil {
		t.Error("too deep")
	}
}

func pipeValue(depth int) *rapid.Generator[any] {
	simple := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Int(), func(i int) any { return i }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }),
		rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) any { return string(b) }),
	}
	if depth > 0 {
		simple = append(simple,
			rapid.Map(rapid.SliceOfN(pipeValue(depth-1), 0, 4), func(l []any) any { return append([]any{}, l...) }),
			rapid.Map(rapid.MapOfN(rapid.String(), pipeValue(depth-1), 0, 4), func(m map[string]any) any { return m }))
	}
	return rapid.OneOf(simple...)
}

// TestPipeWithPython: a Connection of Python's multiprocessing is at the other
// end, for 10,000 messages.
func TestPipeWithPython(t *testing.T) {
	interpreter, err := python.Itself()
	if err != nil {
		t.Skip(err, ": nobody to talk to")
	}
	rounds := times(1000, 10_000)
	const program = `
import json, sys
from multiprocessing.connection import Connection
c = Connection(3)
for i in range(int(sys.argv[1])):
    v = json.loads(c.recv_bytes())
    assert v["i"] == i, v
    v["twice"] = 2 * i
    c.send_bytes(json.dumps(v).encode())
big = c.recv_bytes()
c.send_bytes(big)
try:
    c.recv_bytes()
except EOFError:
    sys.exit(7)
`
	r := newRig(t, Args{}, []string{"a"}, []string{"b"})
	defer r.stop()
	fd, err := unix.Dup(r.procs[1].h.ends[1].fd)
	if err != nil {
		t.Fatal(err)
	}
	r.do(1, pipeOrder{verb: "close", part: "b"})
	f := os.NewFile(uintptr(fd), "b")
	var out bytes.Buffer
	cmd := exec.Command(interpreter, "-c", program, fmt.Sprint(rounds))
	cmd.ExtraFiles, cmd.Stderr = []*os.File{f}, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	text := "日本\x00\"\xff"
	for i := range rounds {
		r.do(0, send("a", map[string]any{"i": i, "f": float64(i), "text": text, "list": []any{nil, true, -1.5}}))
		got := r.do(0, recv("a"))
		want := map[string]any{"i": i, "f": float64(i), "text": text, "list": []any{nil, true, -1.5}, "twice": 2 * i}
		if !reflect.DeepEqual(got.Result, want) {
			t.Fatalf("message %d: %#v %s %s\n%s", i, got.Result, got.Fail, got.Text, &out)
		}
	}
	big := pattern(5 << 20)
	r.do(0, send("a", big))
	if got := r.do(0, recv("a")); got.Result != big {
		t.Errorf("5 MiB come back as %s %s", short(got.Result), got.Fail)
	}
	r.do(0, pipeOrder{verb: "close", part: "a"})
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("python saw no end of file: %v\n%s", err, &out)
	}
}
