//go:build linux

package prims

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"ipcrun/prims/named"
)

func mqSend(w int, text string, prio int) ask {
	return ask{worker: w, order: order{Verb: "send", Value: text, Given: true, More: map[string]any{"priority": prio}}, result: text}
}

func mqRecv(w int, text string) ask { return yields(call(w, "recv"), text) }

func mqAtOnce(a ask, fail string) ask { a.NoWait = true; return refuses(a, fail) }

func TestMqueue(t *testing.T) {
	needQueues(t)
	const d = 30 * time.Millisecond
	two := Args{Main: 2, Fields: map[string]any{"msgsize": 8}}
	plays(t, []scene{
		{"highest priority first, FIFO inside one priority [P mq_send, mq_receive]", "mqueue", Args{Main: 8}, []stage{
			now(mqSend(0, "a", 1)), now(mqSend(1, "b", 5)), now(mqSend(0, "c", 1)), now(mqSend(2, "d", 5)), now(mqSend(1, "e", 0)), facts("size", 5, "full", false),
			now(mqRecv(2, "b")), now(mqRecv(0, "d")), now(mqRecv(1, "a")), now(mqRecv(1, "c")), now(mqRecv(0, "e")), facts("size", 0, "empty", true),
		}},
		{"full: EAGAIN non-blocking, ETIMEDOUT no earlier than the deadline [P mq_timedsend]", "mqueue", two, []stage{
			now(mqSend(0, "1", 0)), now(mqSend(0, "2", 0)), facts("full", true),
			now(mqAtOnce(mqSend(1, "3", 9), Full)), now(noEarlier(refuses(mqSend(1, "3", 9), Timeout), d)), now(mqRecv(2, "1")),
		}},
		{"empty: EAGAIN, ETIMEDOUT [P mq_timedreceive]", "mqueue", two, []stage{
			now(mqAtOnce(call(0, "recv"), Empty)), now(noEarlier(refuses(call(0, "recv"), Timeout), d)),
		}},
		{"a blocked receiver gets what comes, a blocked sender goes on when there is room", "mqueue", two, []stage{
			begins(call(0, "recv")), now(mqSend(1, "x", 0)), ends(0, "x", ""),
			now(mqSend(0, "1", 0)), now(mqSend(0, "2", 0)), begins(mqSend(1, "3", 0)), now(mqRecv(2, "1")), ends(1, "3", ""), now(mqRecv(2, "2")), now(mqRecv(2, "3")),
		}},
		{"larger than mq_msgsize: EMSGSIZE, full or not; so is a smaller buffer [P mq_send, mq_receive]", "mqueue", two, []stage{
			now(refuses(mqSend(0, "123456789", 0), TooLong)), now(mqSend(0, "12345678", 0)),
			now(ask{worker: 1, order: order{Verb: "recv", More: map[string]any{"size": 7}}, fail: TooLong}),
			now(ask{worker: 1, order: order{Verb: "recv", More: map[string]any{"size": 8}}, result: "12345678"}),
		}},
		{"an empty message is one, any byte may be in it", "mqueue", two, []stage{
			now(mqSend(0, "", 0)), now(mqSend(0, "a\x00b", 0)), facts("size", 2), now(mqRecv(1, "")), now(mqRecv(1, "a\x00b")),
		}},
		{"priorities go up to MQ_PRIO_MAX - 1, else EINVAL [mq_send(3)]", "mqueue", two, []stage{
			now(refuses(mqSend(0, "x", 32768), Invalid)), now(refuses(mqSend(0, "x", -1), Invalid)), now(mqSend(0, "x", 32767)),
			now(ask{worker: 1, order: order{Verb: "recv", More: map[string]any{"whole": true}}, result: map[string]any{"value": "x", "priority": 32767}}),
		}},
		{"unlink removes the name at once, the queue lives until the last close [P mq_unlink]", "mqueue", two, []stage{
			now(call(0, "unlink")), now(refuses(call(1, "unlink"), NoEntry)), now(mqSend(0, "x", 0)), now(mqRecv(1, "x")),
		}},
		{"closing in one process does not close in another [P fork]", "mqueue", two, []stage{
			now(call(0, "close")), now(call(0, "close")), now(refuses(mqSend(0, "x", 0), Closed)), now(refuses(call(0, "recv"), Closed)), now(mqSend(1, "x", 0)), now(mqRecv(2, "x")),
		}},
	})
}

// needQueues skips a test where the kernel has no POSIX message queues.
func needQueues(t testing.TB) {
	t.Helper()
	if _, err := named.OpenQueue("/ipcrun-none", unix.O_RDONLY, 0, nil); err != unix.ENOENT {
		t.Skipf("no POSIX message queues here: %v", err)
	}
}

func init() {
	modelled(mqueueAgainstModel, "mqueue")
}

func mqueueAgainstModel(t *testing.T) {
	needQueues(t)
	args := Args{Main: 3, Fields: map[string]any{"msgsize": 4}}
	c := newCrew(t, "mqueue", args, 4)
	model, err := c.d.Model(args, 4)
	if err != nil {
		t.Fatal(err)
	}
	q := c.handle.(*mqueue)
	m := &modelTest{c: c, model: model, verbs: []string{"send", "recv", "send", "recv"}, any: true, waits: map[string]bool{"send": true, "recv": true}}
	m.reset = func() {
		for {
			if _, _, again, err := q.take(); again || err != nil {
				return
			}
		}
	}
	m.values = func(t *rapid.T, verb string) (any, bool) {
		if len(m.waiting) == 3 {
			t.Skip("all others are blocked")
		}
		if verb == "recv" {
			return nil, false
		}
		return rapid.SampledFrom([]string{"", "a", "bb", "cccc", "ddddd"}).Draw(t, "message"), true
	}
	m.more = func(t *rapid.T, verb string) map[string]any {
		if verb == "recv" {
			return nil
		}
		return map[string]any{"priority": rapid.IntRange(0, 3).Draw(t, "priority")}
	}
	// Which of several senders goes on first decides what is received afterwards:
	// one at a time may wait.
	m.fits = func(p int, o order) bool {
		for _, w := range m.waiting {
			if w.Verb == "send" && o.Verb == "send" {
				return false
			}
		}
		return true
	}
	m.free = func(m *modelTest, t *rapid.T) {
		for len(m.waiting) > 0 {
			verb, value := "recv", any(nil)
			for _, w := range m.waiting {
				if w.Verb == "recv" {
					verb, value = "send", "z"
				}
			}
			for p := range c.workers {
				if _, busy := m.waiting[p]; !busy {
					m.perform(t, p, order{Verb: verb, Value: value, Given: verb == "send"})
					break
				}
			}
		}
	}
	rapid.Check(t, m.check)
}

// mqPeer answers so many messages, each with the same bytes and priority, and
// then sends one of the highest priority that says goodbye.
const mqPeer = `
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
	mqd_t in = mq_open(argv[1], O_RDONLY), out = mq_open(argv[2], O_WRONLY);
	struct mq_attr a;
	if (in < 0 || out < 0 || mq_getattr(in, &a)) { perror("mq_open"); return 1; }
	char *buf = malloc(a.mq_msgsize);
	for (int i = atoi(argv[3]); i > 0; i--) {
		unsigned prio;
		ssize_t n = mq_receive(in, buf, a.mq_msgsize, &prio);
		if (n < 0 || mq_send(out, buf, n, prio)) { perror("mq"); return 1; }
	}
	printf("%ld %ld\n", a.mq_maxmsg, a.mq_msgsize);
	return mq_close(in) || mq_close(out);
}
`

// TestMqueueInC: messages go to a program in C and come back as they were.
func TestMqueueInC(t *testing.T) {
	needQueues(t)
	program := compileC(t, mqPeer)
	args := func(name string) Args {
		return Args{Main: 4, Fields: map[string]any{"msgsize": 64, "name": testName(t) + name}}
	}
	there, back := newCrew(t, "mqueue", args("-there"), 1), newCrew(t, "mqueue", args("-back"), 1)
	n := times(2000, 10_000)
	peer := startC(t, program, there.d.Address(there.handle), back.d.Address(back.handle), strconv.Itoa(n))
	there.tell(0, order{Verb: "send, numbers", Rounds: n})
	back.tell(0, order{Verb: "recv, numbers", Rounds: n})
	for _, c := range []*crew{there, back} {
		if r := c.hear(t, 0); r.Text != "" {
			t.Fatal(r.Text)
		}
	}
	if out := peer.ends(); out != "4 64\n" {
		t.Errorf("the program found %q", out)
	}
}

func init() {
	message := func(i int) string { return strings.Repeat(string(rune('a'+i%26)), i%65) }
	loops["send, numbers"] = func(w *worker, o order) (r reply) {
		for i := range o.Rounds {
			if got := w.do(order{Verb: "send", Value: message(i), Given: true}); got.Fail != "" || got.Err != "" {
				r.Text = got.Fail + got.Err
			}
		}
		return r
	}
	loops["recv, numbers"] = func(w *worker, o order) (r reply) {
		for i := range o.Rounds {
			if got := w.do(order{Verb: "recv"}); got.Result != message(i) {
				r.Text = "message " + message(i) + " came as " + got.Fail + got.Err
			}
		}
		return r
	}
}

// TestMqueueLimits: what the kernel refuses is said in words that tell which of
// its limits it is.
func TestMqueueLimits(t *testing.T) {
	needQueues(t)
	for _, tt := range []struct {
		err  error
		want string
	}{
		{unix.EINVAL, "msgsize_max"}, {unix.EMFILE, "RLIMIT_MSGQUEUE"}, {unix.ENOSPC, "queues_max"}, {unix.ENOSYS, "has no POSIX message queues"}, {unix.EACCES, "forbids POSIX message queues"},
	} {
		if err := refusedQueue(20, 100, tt.err); !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v", err)
		} else if no := (*NotHere)(nil); errors.As(err, &no) != (tt.err == unix.ENOSYS || tt.err == unix.EACCES) {
			t.Errorf("%v: whether there are none here, or a limit is reached", err)
		}
	}
	// For real: more bytes than all queues of a user may take.
	l := named.NewLedger("limits", nil)
	c := &Creation{Name: "jobs", Args: Args{Main: 65536, Fields: map[string]any{"msgsize": 16 << 20}}, Mem: make([]byte, 8+nameMem), System: l}
	err := createMqueue(c)
	if err == nil || !strings.HasPrefix(err.Error(), "jobs: making the message queue") || c.Files != nil {
		t.Errorf("%v", err)
	}
	if left := l.Sweep(); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// TestQueueOfAnother: a queue that another program makes while ours could not be
// made stays, and so does one that has taken the place of ours.
func TestQueueOfAnother(t *testing.T) {
	needQueues(t)
	name := testName(t)
	other := func() {
		fd, err := named.OpenQueue(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		unix.Close(fd)
	}
	there := func() bool {
		fd, err := named.OpenQueue(name, unix.O_RDONLY, 0, nil)
		if err == nil {
			unix.Close(fd)
		}
		return err == nil
	}
	other()
	// Killed between the refusal and the note that it was refused.
	if left := named.Sweep([]named.Entry{{Class: named.MessageQueue, Name: name}}); len(left) > 0 || !there() {
		t.Errorf("left %v, the other's is there: %v", left, there())
	}
	if err := named.UnlinkQueue(name); err != nil {
		t.Fatal(err)
	}
	l := named.NewLedger("other", nil)
	c := &Creation{Name: "jobs", Args: withName(name), Mem: make([]byte, 8+nameMem), System: l}
	if err := createMqueue(c); err != nil {
		t.Fatal(err)
	}
	defer c.Files[0].Close()
	if err := named.UnlinkQueue(name); err != nil {
		t.Fatal(err)
	}
	other()
	if left := l.Sweep(); len(left) > 0 || !there() {
		t.Errorf("left %v, the other's is there: %v", left, there())
	}
	if err := named.UnlinkQueue(name); err != nil {
		t.Fatal(err)
	}
	// Killed right after it was made: it has mode 0, nobody can use it, it goes.
	fd, err := named.OpenQueue(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(fd)
	if os.Geteuid() != 0 && there() {
		t.Error("a queue of mode 0 can be opened")
	}
	if left := named.Sweep([]named.Entry{{Class: named.MessageQueue, Name: name}}); len(left) > 0 || named.UnlinkQueue(name) != unix.ENOENT {
		t.Errorf("left %v", left)
	}
}
