//go:build linux

package prims

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func fifoDo(w int, verb, part string) ask {
	return ask{worker: w, order: order{Verb: verb, Part: part}}
}

func fifoWrite(w int, text string) ask {
	return ask{worker: w, order: order{Verb: "send", Part: "w", Value: text, Given: true}, result: text}
}

func fifoRead(w int, text string) ask { return yields(fifoDo(w, "recv", "r"), text) }

func TestFifo(t *testing.T) {
	const d = 30 * time.Millisecond
	open := func(w int, part string) ask { return fifoDo(w, "open", part) }
	both := []stage{begins(open(0, "r")), now(open(1, "w")), ends(0, nil, "")}
	with := func(more ...stage) []stage { return append(append([]stage{}, both...), more...) }
	plays(t, []scene{
		{"open to read waits for a writer [fifo(7)]", "fifo", Args{}, both},
		{"open to write waits for a reader [fifo(7)]", "fifo", Args{}, []stage{begins(open(0, "w")), now(open(1, "r")), ends(0, nil, "")}},
		{"O_NONBLOCK: to read at once, to write ENXIO without a reader [fifo(7)]", "fifo", Args{}, []stage{
			now(refuses(ask{order: order{Verb: "open", Part: "w", NoWait: true}}, NoReader)),
			now(ask{worker: 1, order: order{Verb: "open", Part: "r", NoWait: true}}),
			now(ask{order: order{Verb: "open", Part: "w", NoWait: true}}),
			now(fifoWrite(0, "x")), now(fifoRead(1, "x")),
		}},
		{"an open that gives up has not opened", "fifo", Args{}, []stage{
			now(noEarlier(refuses(open(0, "r"), Timeout), d)), now(noEarlier(refuses(open(1, "w"), Timeout), d)),
			now(refuses(fifoDo(0, "recv", "r"), Closed)), now(refuses(fifoWrite(1, "x"), Closed)),
		}},
		{"bytes come in order, several writes by one read", "fifo", Args{}, with(
			now(fifoWrite(1, "ab")), now(fifoWrite(1, "c\x00")), facts("sent", 4), now(fifoRead(0, "abc\x00")), facts("received", 4),
		)},
		{"no data and no writer: end of file, until somebody opens it again [pipe(7)]", "fifo", Args{}, with(
			now(fifoWrite(1, "x")), now(fifoDo(1, "close", "w")), now(fifoRead(0, "x")), now(refuses(fifoDo(0, "recv", "r"), EOF)),
			now(open(2, "w")), now(fifoWrite(2, "y")), now(fifoRead(0, "y")),
		)},
		{"no reader: EPIPE [pipe(7)]", "fifo", Args{}, with(now(fifoDo(0, "close", "r")), now(refuses(fifoWrite(1, "x"), BrokenPipe)))},
		{"what nobody has open holds nothing [pipe(7)]", "fifo", Args{}, with(
			now(fifoWrite(1, "lost")), now(fifoDo(1, "close", "w")), now(fifoDo(0, "close", "r")),
			begins(open(0, "r")), now(open(1, "w")), ends(0, nil, ""), now(refuses(ask{order: order{Verb: "recv", Part: "r", NoWait: true}}, WouldBlock)),
		)},
		{"wrong direction: EBADF [read(2), write(2)]", "fifo", Args{}, with(
			now(refuses(ask{order: order{Verb: "send", Part: "r", Value: "x", Given: true}}, BadDirection)), now(refuses(fifoDo(1, "recv", "w"), BadDirection)),
		)},
		{"one process may have both ends", "fifo", Args{}, []stage{
			now(ask{order: order{Verb: "open", Part: "r", NoWait: true}}), now(open(0, "w")), now(fifoWrite(0, "x")), now(fifoRead(0, "x")),
			now(refuses(open(0, "w"), Invalid)),
		}},
		{"a full FIFO blocks its writer", "fifo", Args{}, with(
			now(fifoWrite(1, strings.Repeat("x", 40_960))),
			now(refuses(ask{worker: 1, order: order{Verb: "send", Part: "w", Value: strings.Repeat("x", 40_960), Given: true, NoWait: true}}, WouldBlock)),
			begins(fifoWrite(1, "y")), now(fifoRead(0, strings.Repeat("x", 65536))), ends(1, "y", ""), now(fifoRead(0, "y")),
		)},
		{"without its name it goes on for those who have it open", "fifo", Args{}, with(
			now(call(2, "unlink")), now(refuses(call(2, "unlink"), NoEntry)), now(refuses(open(2, "w"), NoEntry)), now(fifoWrite(1, "x")), now(fifoRead(0, "x")),
		)},
	})
}

func init() { modelled(fifoAgainstModel, "fifo") }

func fifoAgainstModel(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	c := newCrew(t, "fifo", Args{}, 4)
	model, err := c.d.Model(Args{}, 4)
	if err != nil {
		t.Fatal(err)
	}
	m := &modelTest{c: c, model: model, verbs: []string{"open", "open", "send", "recv", "close"}, any: true, waits: map[string]bool{"open": true, "recv": true}}
	m.reset = func() {
		for i := range c.workers {
			c.do(t, i, order{Verb: "close", Part: "r"})
			c.do(t, i, order{Verb: "close", Part: "w"})
		}
	}
	m.part = func(t *rapid.T, verb string) string {
		switch verb {
		case "send":
			return "w"
		case "recv":
			return "r"
		}
		return rapid.SampledFrom([]string{"r", "w"}).Draw(t, "end")
	}
	m.values = func(t *rapid.T, verb string) (any, bool) {
		if len(m.waiting) == 3 {
			t.Skip("all others are blocked")
		}
		if verb != "send" {
			return nil, false
		}
		return rapid.SampledFrom([]string{"a", "bb", "ccc"}).Draw(t, "text"), true
	}
	m.more = func(t *rapid.T, verb string) map[string]any {
		if verb != "recv" {
			return nil
		}
		return map[string]any{"size": rapid.IntRange(1, 5).Draw(t, "size")}
	}
	// Which of several readers takes what comes is not defined, and a reader that
	// takes a part leaves the rest to whoever is next: one at a time may wait.
	m.fits = func(p int, o order) bool {
		for _, w := range m.waiting {
			// Who is to be met has to wake up first, which takes time.
			if o.Verb == "open" && w.Verb == "open" && o.After != 0 {
				return false
			}
			if o.Verb == "recv" && w.Verb == "recv" {
				return false
			}
		}
		return true
	}
	m.free = func(m *modelTest, t *rapid.T) {
		for len(m.waiting) > 0 {
			// Whoever is not blocked opens both ends, and sends.
			for p := range c.workers {
				if _, busy := m.waiting[p]; busy {
					continue
				}
				m.perform(t, p, order{Verb: "open", Part: "r", NoWait: true})
				m.perform(t, p, order{Verb: "open", Part: "w", NoWait: true})
				if len(m.waiting) > 0 {
					m.perform(t, p, order{Verb: "send", Part: "w", Value: "z", Given: true})
				}
				m.perform(t, p, order{Verb: "close", Part: "w"})
				m.perform(t, p, order{Verb: "close", Part: "r"})
				break
			}
		}
	}
	rapid.Check(t, m.check)
}

// fifoPeer reads numbers, one in a line, from one FIFO and writes their doubles
// to another until the end of file; its opens block, as those of any program.
const fifoPeer = `
#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv) {
	FILE *in = fopen(argv[1], "r"), *out = fopen(argv[2], "w");
	if (!in || !out) { perror("fopen"); return 1; }
	long n, count = 0;
	while (fscanf(in, "%ld", &n) == 1) {
		fprintf(out, "%ld\n", 2 * n);
		count++;
	}
	printf("%ld\n", count);
	return fclose(out);
}
`

// TestFifoInC: a program that is blocked in open(2) is met, reads to the end of
// file, and what it writes arrives.
func TestFifoInC(t *testing.T) {
	program := compileC(t, fifoPeer)
	t.Setenv("TMPDIR", t.TempDir())
	there, back := newCrew(t, "fifo", Args{}, 1), newCrew(t, "fifo", Args{}, 1)
	peer := startC(t, program, there.d.Address(there.handle), back.d.Address(back.handle))
	// Who opens to write waits until the program, in its own open, is there.
	if r := there.do(t, 0, order{Verb: "open", Part: "w"}); r.Fail != "" {
		t.Fatal(r.Fail)
	}
	if r := back.do(t, 0, order{Verb: "open", Part: "r"}); r.Fail != "" {
		t.Fatal(r.Fail)
	}
	back.tell(0, order{Verb: "recv, all", Rounds: 1, Part: "r"})
	there.do(t, 0, order{Verb: "send, lines", Rounds: 10_000})
	there.do(t, 0, order{Verb: "close", Part: "w"})
	if out := peer.ends(); out != "10000\n" {
		t.Errorf("the program read %q numbers", out)
	}
	if r := back.hear(t, 0); r.Text != "" {
		t.Error(r.Text)
	}
}

func init() {
	number := func(i int) string { return strconv.Itoa(i) + "\n" }
	loops["send, lines"] = func(w *worker, o order) (r reply) {
		for i := range o.Rounds {
			if got := w.do(order{Verb: "send", Part: "w", Value: number(i), Given: true}); got.Fail != "" {
				r.Text = got.Fail
			}
		}
		return r
	}
	loops["recv, all"] = func(w *worker, _ order) (r reply) {
		var all, want strings.Builder
		for {
			got := w.do(order{Verb: "recv", Part: "r"})
			if got.Fail != "" {
				r.Text = strings.TrimPrefix(got.Fail, EOF)
				break
			}
			all.WriteString(got.Result.(string))
		}
		for i := range 10_000 {
			want.WriteString(number(2 * i))
		}
		if r.Text == "" && all.String() != want.String() {
			r.Text = "other numbers came back"
		}
		return r
	}
}

// TestFifoPath: a relative name lies in the run's own directory, an absolute one
// where it says, and no permission is left to the mask.
func TestFifoPath(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	c := newCrew(t, "fifo", withName("line"), 0)
	path := c.d.Address(c.handle)
	if !strings.HasPrefix(path, os.Getenv("TMPDIR")) || !strings.HasSuffix(path, "/line") {
		t.Errorf("it is at %s", path)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != os.ModeNamedPipe|0o600 {
		t.Errorf("%v, %v", info, err)
	}
}
