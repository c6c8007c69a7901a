//go:build linux

package prims

import (
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ipcrun/prims/named"
)

func sock(w int, verb, part string) ask { return ask{worker: w, order: order{Verb: verb, Part: part}} }
func sockSend(w int, part string, v any) ask {
	return ask{worker: w, order: order{Verb: "send", Part: part, Value: v, Given: true}, result: v}
}
func sockRecv(w int, part string, v any) ask { return yields(sock(w, "recv", part), v) }
func over(a ask, number int) ask {
	a.More = map[string]any{"connection": number}
	return a
}
func everything(a ask) ask {
	a.More = map[string]any{"all": true}
	return a
}

func TestUnixSocket(t *testing.T) {
	const d = 30 * time.Millisecond
	connect := func(w, n int) stage { return now(yields(sock(w, "connect", "client"), n)) }
	accept := func(w, n int) stage { return now(yields(sock(w, "accept", "server"), n)) }
	with := func(more ...stage) []stage { return append([]stage{connect(0, 1), accept(1, 1)}, more...) }
	bytes := Args{Fields: map[string]any{"bytes": true}}
	plays(t, []scene{
		{"connect does not wait for accept, accept takes them in order [listen(2), accept(2)]", "unix_socket", Args{}, []stage{
			connect(0, 1), now(sockSend(0, "client", "first")), connect(2, 1), now(sockSend(2, "client", "second")), facts("connected", 2, "accepted", 0),
			accept(1, 1), now(sockRecv(1, "server", "first")), accept(1, 2), now(sockRecv(1, "server", "second")), facts("accepted", 2, "received", 2),
		}},
		{"accept waits for a connection", "unix_socket", Args{}, []stage{
			begins(sock(1, "accept", "server")), connect(0, 1), ends(1, 1, ""),
			now(refuses(ask{worker: 1, order: order{Verb: "accept", Part: "server", NoWait: true}}, WouldBlock)), now(noEarlier(refuses(sock(1, "accept", "server"), Timeout), d)),
		}},
		{"messages of any data, both ways, each as it was sent", "unix_socket", Args{}, with(
			now(sockSend(0, "client", []any{1, "two", nil})), now(sockSend(0, "client", "")), now(sockRecv(1, "server", []any{1, "two", nil})), now(sockRecv(1, "server", "")),
			begins(sock(0, "recv", "client")), now(sockSend(1, "server", map[string]any{"a": true})), ends(0, map[string]any{"a": true}, ""),
		)},
		{"bytes have no boundaries", "unix_socket", bytes, with(
			now(sockSend(0, "client", "ab")), now(sockSend(0, "client", "cd")),
			now(ask{worker: 1, order: order{Verb: "recv", Part: "server", More: map[string]any{"size": 3}}, result: "abc"}), now(sockRecv(1, "server", "d")),
		)},
		{"the other side's close is the end of file, after all data, and EPIPE [unix(7)]", "unix_socket", Args{}, with(
			now(sockSend(0, "client", "last")), now(sock(0, "close", "client")), now(sockRecv(1, "server", "last")), now(refuses(sock(1, "recv", "server"), EOF)),
			now(refuses(sockSend(1, "server", "x"), BrokenPipe)), now(refuses(sock(0, "recv", "client"), Closed)),
		)},
		{"who does not listen any more cannot accept, others can", "unix_socket", Args{}, []stage{
			now(everything(sock(1, "close", "server"))), connect(0, 1), now(refuses(sock(1, "accept", "server"), Closed)), accept(2, 1),
		}},
		{"without its path it goes on for those who have it: ENOENT [unlink(2)]", "unix_socket", Args{}, with(
			now(ask{worker: 2, order: order{Verb: "unlink", Part: "server"}}), now(refuses(sock(2, "connect", "client"), NoEntry)), now(sockSend(0, "client", 5)), now(sockRecv(1, "server", 5)),
		)},
		{"a full backlog: connect waits until somebody accepts [listen(2)]", "unix_socket", Args{Fields: map[string]any{"backlog": 0}}, []stage{
			connect(0, 1), now(refuses(ask{worker: 2, order: order{Verb: "connect", Part: "client", NoWait: true}}, WouldBlock)),
			now(noEarlier(refuses(sock(2, "connect", "client"), Timeout), d)), begins(sock(2, "connect", "client")), accept(1, 1), ends(2, 1, ""),
		}},
		{"several connections of a process by their numbers, the smallest that is free", "unix_socket", Args{}, with(
			connect(0, 2), accept(1, 2), now(over(sockSend(0, "client", "one"), 1)), now(sockSend(0, "client", "two")),
			now(sockRecv(1, "server", "two")), now(over(sockRecv(1, "server", "one"), 1)),
			now(over(sock(0, "close", "client"), 1)), now(refuses(over(sock(1, "recv", "server"), 1), EOF)), connect(0, 1), accept(1, 3),
			now(sockSend(1, "server", "three")), now(sockRecv(0, "client", "three")), now(everything(sock(0, "close", "client"))),
			now(refuses(sock(1, "recv", "server"), EOF)), now(refuses(over(sock(1, "recv", "server"), 2), EOF)),
		)},
		{"the wrong end", "unix_socket", Args{}, []stage{
			now(refuses(sock(0, "connect", "server"), BadDirection)), now(refuses(sock(0, "accept", "client"), BadDirection)),
			now(refuses(sockSend(0, "client", "x"), Closed)), now(refuses(over(sock(0, "recv", "client"), 7), Closed)),
		}},
	})
}

func init() { modelled(unixSocketAgainstModel, "unix_socket") }

func unixSocketAgainstModel(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	args := Args{Fields: map[string]any{"backlog": 2}}
	c := newCrew(t, "unix_socket", args, 4)
	model, err := c.d.Model(args, 4)
	if err != nil {
		t.Fatal(err)
	}
	m := &modelTest{c: c, model: model, verbs: []string{"connect", "accept", "accept", "send", "send", "recv", "recv", "close"}, any: true,
		waits: map[string]bool{"connect": true, "accept": true, "recv": true}}
	sides := []string{clientPart, serverPart}
	m.reset = func() {
		for c.do(t, 0, order{Verb: "accept", Part: serverPart, NoWait: true}).Fail == "" {
		}
		for i := range c.workers {
			for _, part := range sides {
				c.do(t, i, order{Verb: "close, many", Rounds: 50, Part: part})
			}
		}
	}
	m.part = func(t *rapid.T, verb string) string {
		switch verb {
		case "connect":
			return clientPart
		case "accept":
			return serverPart
		}
		return rapid.SampledFrom(sides).Draw(t, "end")
	}
	m.values = func(t *rapid.T, verb string) (any, bool) {
		if verb != "send" {
			return nil, false
		}
		return rapid.SampledFrom([]any{"a", 7, []any{"b", 1}, ""}).Draw(t, "message"), true
	}
	m.more = func(t *rapid.T, verb string) map[string]any {
		if verb == "connect" || verb == "accept" || !rapid.Bool().Draw(t, "by number") {
			return nil
		}
		return map[string]any{"connection": rapid.IntRange(1, 4).Draw(t, "connection")}
	}
	// A process that waits for another one's message must not be the only one that
	// could send it: nobody else may wait then. And a timeout is not for a connect
	// or a recv that has only to be woken.
	m.fits = func(p int, o order) bool {
		if o.NoWait || o.Verb == "send" || o.Verb == "close" {
			return true
		}
		if len(m.waiting) > 0 {
			return false
		}
		var s socketState
		unbox(m.st[:len(m.st)-1], &s)
		if len(s.Conns) > 20 {
			return false
		}
		side := 0
		if o.Part == serverPart {
			side = 1
		}
		n, _ := o.More["connection"].(int)
		if k := s.find(p, side, n); o.Verb == "recv" && k != nil {
			return k.Sides[1-side].Proc != p && k.Sides[1-side].Proc >= 0
		}
		return true
	}
	m.free = func(m *modelTest, t *rapid.T) {
		for len(m.waiting) > 0 {
			for w, o := range m.waiting {
				other := (w + 1) % len(c.workers)
				switch o.Verb {
				case "accept":
					m.perform(t, other, order{Verb: "connect", Part: clientPart})
				case "connect":
					m.perform(t, other, order{Verb: "accept", Part: serverPart})
				default:
					// Whoever has the other side lets go of all that it has.
					for p := range c.workers {
						for _, part := range sides {
							for p != w && len(m.waiting) > 0 && socketHas(m, p, part) {
								m.perform(t, p, order{Verb: "close", Part: part})
							}
						}
					}
				}
				break
			}
		}
	}
	rapid.Check(t, m.check)
}

// socketHas: a process has a connection at an end, in the model.
func socketHas(m *modelTest, p int, part string) bool {
	var s socketState
	unbox(m.st[:len(m.st)-1], &s)
	side := 0
	if part == serverPart {
		side = 1
	}
	return s.find(p, side, 0) != nil
}

// sockPeer connects, sends so many lines, and prints how many bytes came back
// before the end of file.
const sockPeer = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(int argc, char **argv) {
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	strncpy(a.sun_path, argv[1], sizeof a.sun_path - 1);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a)) { perror("connect"); return 1; }
	FILE *out = fdopen(dup(fd), "w");
	for (int i = 0; i < atoi(argv[2]); i++)
		fprintf(out, "%d\n", i);
	fclose(out);
	shutdown(fd, SHUT_WR);
	char buf[4096];
	long n, sum = 0;
	while ((n = read(fd, buf, sizeof buf)) > 0)
		sum += n;
	printf("%ld\n", sum);
	return n < 0;
}
`

// TestUnixSocketInC: a program in C connects by the path; what it writes is read
// to the end of file, and all of it goes back.
func TestUnixSocketInC(t *testing.T) {
	program := compileC(t, sockPeer)
	t.Setenv("TMPDIR", t.TempDir())
	c := newCrew(t, "unix_socket", Args{Fields: map[string]any{"bytes": true, "name": "door"}}, 1)
	peer := startC(t, program, c.d.Address(c.handle), "10000")
	if r := c.do(t, 0, order{Verb: "accept", Part: serverPart}); r.Result != 1 {
		t.Fatalf("%+v", r)
	}
	r := c.do(t, 0, order{Verb: "recv, send", Rounds: 1})
	if r.Text != "48890" {
		t.Errorf("the worker had %q bytes", r.Text)
	}
	if out := strings.TrimSpace(peer.ends()); out != r.Text {
		t.Errorf("the program got %q bytes back", out)
	}
}

func init() {
	loops["close, many"] = func(w *worker, o order) (r reply) {
		for range o.Rounds {
			w.do(order{Verb: "close", Part: o.Part})
		}
		return r
	}
	loops["recv, send"] = func(w *worker, _ order) (r reply) {
		var all strings.Builder
		for {
			got := w.do(order{Verb: "recv", Part: serverPart})
			if got.Fail != "" {
				break
			}
			all.WriteString(got.Result.(string))
		}
		w.do(order{Verb: "send", Part: serverPart, Value: all.String(), Given: true})
		w.do(order{Verb: "close", Part: serverPart})
		n, _ := messageText(all.Len())
		r.Text = n
		return r
	}
}

// TestSocketPathTooLong: what does not fit into an address is said, and nothing
// is left.
func TestSocketPathTooLong(t *testing.T) {
	dir := t.TempDir() + "/" + strings.Repeat("d", 100)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	l := named.NewLedger("long", nil)
	c := &Creation{Name: "door", Mem: make([]byte, socketHead+nameMem), System: l}
	if err := createSocket(c); err == nil || !strings.Contains(err.Error(), "at most 107: give the socket a shorter name, or set TMPDIR") {
		t.Errorf("%v", err)
	}
	if left := l.Sweep(); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}
