//go:build linux

package prims

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// smallQueue is a queue with little memory, in this process alone, and the
// handles of n processes on the arena.
func smallQueue(t testing.TB, a Args, data, n int) (*queue, []*arena.Self) {
	t.Helper()
	mem, region := smallMemory(t, a, data)
	ar := arena.InMemory(arena.Layout{Slots: n, Prims: queueMem})
	var selfs []*arena.Self
	for i := range n {
		selfs = append(selfs, ar.Self(i, -1))
	}
	return newQueue(mem, region, a), selfs
}

func smallMemory(t testing.TB, a Args, data int) (mem, region []byte) {
	t.Helper()
	maxsize, _ := a.Main.(int)
	anon := func(n int) []byte {
		b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANON)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Munmap(b) })
		return b
	}
	return anon(pageSize), anon(storeBytes(queueCells(maxsize)*8, data))
}

// bytesOf is the same memory, aligned as words are.
func bytesOf(words []uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), 8*len(words))
}

func callOf(s *arena.Self, v any) *Call {
	return &Call{Self: s, NoWait: true, Args: &Values{Names: []string{"value"}, Vals: []any{v}}}
}

func failure(err error) string {
	var f *decl.Failure
	if errors.As(err, &f) {
		return f.Name
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// TestQueueMemory: an item that is larger than any is refused; one for which
// there is no memory now is put when there is.
func TestQueueMemory(t *testing.T) {
	const segs = 32
	q, selfs := smallQueue(t, Args{}, segs*segSize, 2)
	me, other := selfs[0], selfs[1]
	if err := queuePut(q, callOf(me, strings.Repeat("x", segs*segSize/4))); failure(err) != Invalid {
		t.Errorf("too large an item: %v", err)
	}
	largest := strings.Repeat("x", segs*segSize/4-itemHead-5)
	for i := range 4 {
		if err := queuePut(q, callOf(me, largest)); err != nil {
			t.Fatalf("item %d: %v", i, err)
		}
	}
	for _, v := range []string{largest, "small"} {
		if err := queuePut(q, callOf(me, v)); failure(err) != Full || !strings.Contains(err.Error(), "memory") {
			t.Errorf("%d bytes more: %v", len(v), err)
		}
	}
	if q.canPut(q.store.most()) || q.canPut(itemAlign) {
		t.Error("the engine thinks that there is room")
	}
	// One waits for memory, one for nothing: a get lets both go on.
	done, view := make(chan error, 1), newQueueView(q)
	go func() {
		c := callOf(other, largest)
		c.NoWait, c.Deadline = false, arena.Now()+int64(patience)
		done <- queuePut(view, c)
	}()
	for q.short.Load() == 0 {
		time.Sleep(10 * time.Microsecond)
	}
	if err := queueGet(q, callOf(me, nil)); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("the put that waited for memory: %v", err)
	}
	if q.short.Load() != 0 || q.putters.Load() != 0 {
		t.Errorf("%d and %d wait", q.short.Load(), q.putters.Load())
	}
}

// TestQueueMemoryForTheSmall: a get that makes room for one who waits, but not
// for another who waits longer for more, lets the one go on.
func TestQueueMemoryForTheSmall(t *testing.T) {
	for range 50 { // once is enough: the machine may have been busy with others
		q, selfs := smallQueue(t, Args{}, 16*segSize, 3)
		for _, segs := range []int{1, 3, 4, 4, 4} {
			if err := queuePut(q, callOf(selfs[0], strings.Repeat("x", segs*segSize-100))); err != nil {
				t.Fatal(err)
			}
		}
		done := make(chan error, 2)
		for i, size := range []int{4*segSize - 100, 10} {
			view := newQueueView(q)
			go func() {
				c := callOf(selfs[1+i], strings.Repeat("y", size))
				c.NoWait, c.Deadline = false, arena.Now()+int64(patience)
				done <- queuePut(view, c)
			}()
			for q.short.Load() != uint32(i+1) || selfs[1+i].State() != arena.Blocked {
				time.Sleep(10 * time.Microsecond)
			}
			time.Sleep(time.Millisecond) // it goes to sleep
		}
		began := time.Now()
		for i := range 3 {
			if err := queueGet(q, callOf(selfs[0], nil)); err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				if err := <-done; err != nil {
					t.Fatal(err)
				}
			}
		}
		took := time.Since(began)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if took < time.Duration(recheck)/2 {
			return
		}
	}
	t.Error("the small one was never woken")
}

// newQueueView is another process's handle on the same queue.
func newQueueView(q *queue) *queue {
	v := *q
	v.buf, v.store.open, v.store.fill = nil, -1, 0
	return &v
}

// TestQueueMemoryOfTheDead: what an ended process held is used by others, but
// not what it had put.
func TestQueueMemoryOfTheDead(t *testing.T) {
	const segs = 8
	q, selfs := smallQueue(t, Args{}, segs*segSize, 3)
	// It had opened a segment and put an item, begun another item, and found a
	// place for a large one.
	dead := newQueueView(q)
	if err := queuePut(dead, callOf(selfs[1], "an item")); err != nil {
		t.Fatal(err)
	}
	p, _ := dead.store.place(2, 100)
	dead.store.write(p, make([]byte, 100))
	dead.store.mark(2, p, 2)
	if _, ok := dead.store.place(2, 2*segSize); !ok {
		t.Fatal("no place for the large one")
	}
	fill := func() (n int) {
		for queuePut(q, callOf(selfs[0], strings.Repeat("y", 2*segSize-100))) == nil {
			n++
		}
		return n
	}
	before := fill()
	q.died(1)
	after := fill()
	if before != 2 || after != 1 {
		t.Errorf("%d items of two segments fit, and %d more after the death, want 2 and 1", before, after)
	}
	c := callOf(selfs[2], nil)
	if err := queueGet(q, c); err != nil || c.Result != "an item" {
		t.Errorf("got %.40v, %v", c.Result, err)
	}
	for range before + after {
		if err := queueGet(q, c); err != nil || len(c.Result.(string)) != 2*segSize-100 {
			t.Errorf("got %.40v, %v", c.Result, err)
		}
	}
}

// TestQueueFinishesForOthers: a process that ends right after its operation has
// happened, and one that comes back after a long time, change nothing.
func TestQueueFinishesForOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mem, region := make([]uint64, queueMem/8), make([]uint64, 8)
		r := newQueueRing(bytesOf(mem), bytesOf(region), 5)
		var items, announced []uint64
		type cell struct{ n, block uint64 }
		var puts []cell
		next, seq := uint64(opPut), uint64(0)
		for range rapid.IntRange(1, 60).Draw(t, "operations") {
			now := r.settle()
			if now.seq() != seq || now.size() != len(items) || now.tail()-now.head() != uint64(len(items)) {
				t.Fatalf("state %d of %d items, want %d of %d", now.seq(), now.size(), seq, len(items))
			}
			if len(items) > 0 {
				if b, ok := r.first(now); !ok || b != items[0] {
					t.Fatalf("the first is %d %v, want %d", b, ok, items[0])
				}
			}
			what := uint64(opGet)
			if len(items) == 0 || len(items) < 5 && rapid.Bool().Draw(t, "put") {
				next++
				what = next
			}
			if !r.announce(now, what) {
				t.Fatal("nobody was in between, and the operation did not happen")
			}
			// What was announced is done by whoever comes; who announced it may
			// be killed now, or go on at any time, or stop in the middle.
			announced = append(announced, now.seq()<<blockBits|what)
			if what == opGet {
				items = items[1:]
			} else {
				items = append(items, what)
				puts = append(puts, cell{now.tail(), what})
			}
			seq++
			switch rapid.IntRange(0, 3).Draw(t, "then") {
			case 0:
				r.carryOut(announced[len(announced)-1])
			case 1:
				if what != opGet {
					r.install(now.tail(), what)
				}
			}
			late := rapid.SampledFrom(announced).Draw(t, "late")
			r.carryOut(late)
			if len(puts) > 0 && puts[len(puts)-1].n < r.settle().tail() {
				old := rapid.SampledFrom(puts).Draw(t, "late item")
				r.install(old.n, old.block)
			}
			if r.announce(now, opGet) {
				t.Fatal("an operation happened in a state that is past")
			}
		}
	})
}

// TestQueueThreads: little memory, items of all sizes, many at once: each item
// comes out once and undamaged.
func TestQueueThreads(t *testing.T) {
	const threads, rounds = 3, 1500
	q, selfs := smallQueue(t, Args{Main: 50}, 96*segSize, 2*threads)
	var wg sync.WaitGroup
	counts := make([][]int, threads)
	for i := range threads {
		wg.Add(2)
		go func() {
			defer wg.Done()
			v := newQueueView(q)
			for k := range rounds {
				c := callOf(selfs[i], []any{i, k, strings.Repeat(string(rune('a'+k%26)), k*k%(6*segSize))})
				c.NoWait = false
				if err := queuePut(v, c); err != nil {
					t.Error(err)
				}
			}
		}()
		counts[i] = make([]int, threads)
		go func() {
			defer wg.Done()
			v := newQueueView(q)
			for range rounds {
				c := callOf(selfs[threads+i], nil)
				c.NoWait = false
				if err := queueGet(v, c); err != nil {
					t.Error(err)
					return
				}
				it := c.Result.([]any)
				k := it[1].(int)
				if it[2] != strings.Repeat(string(rune('a'+k%26)), k*k%(6*segSize)) {
					t.Errorf("item %v is damaged", it[:2])
				}
				counts[i][it[0].(int)]++
			}
		}()
	}
	wg.Wait()
	for p := range threads {
		n := 0
		for i := range threads {
			n += counts[i][p]
		}
		if n != rounds {
			t.Errorf("%d of %d items of %d were got", n, rounds, p)
		}
	}
	for i := range q.store.table {
		if w := q.store.table[i].Load(); w&lastMask > q.store.got() {
			t.Errorf("segment %d is kept for item %d", i, w&lastMask)
		}
	}
}
