//go:build linux

package prims

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSharedMemory(t *testing.T) {
	read := func(w int, v any) stage { return now(yields(call(w, "read"), v)) }
	write := func(w int, v, becomes any) stage {
		return now(ask{worker: w, order: order{Verb: "write", Value: v, Given: true}, result: becomes})
	}
	plays(t, []scene{
		{"a resized object is zero-filled [P shm_open]", "shared_memory", Args{Main: "i", Fields: map[string]any{"size": 3}}, []stage{
			read(0, []any{0, 0, 0}), write(1, []any{1, -2, 3}, []any{1, -2, 3}), read(0, []any{1, -2, 3}), facts("size", 3, "bytes", 12),
		}},
		{"one element where nothing says more", "shared_memory", Args{Main: "d", Fields: map[string]any{"initial": 2.5}}, []stage{
			read(0, []any{2.5}), facts("size", 1, "bytes", 8),
		}},
		{"as many elements as the first content has", "shared_memory", Args{Main: "c", Fields: map[string]any{"initial": "abc"}}, []stage{
			read(0, "abc"), write(1, "x", "x"), read(0, "x"), facts("size", 3),
		}},
	})
}

func init() {
	modelled(sharedMemoryAgainstModel, "shared_memory")
}

func sharedMemoryAgainstModel(t *testing.T) {
	args := Args{Main: "h", Fields: map[string]any{"size": 4}}
	c := newCrew(t, "shared_memory", args, 3)
	model, err := c.d.Model(args, 3)
	if err != nil {
		t.Fatal(err)
	}
	m := &modelTest{c: c, model: model, verbs: []string{"read", "write", "add"}}
	m.reset = func() { clear(c.handle.(*sharedMemory).mem) }
	m.free = func(*modelTest, *rapid.T) {}
	m.values = func(t *rapid.T, verb string) (any, bool) {
		if verb == "read" {
			return nil, false
		}
		return rapid.IntRange(-70000, 70000).Draw(t, "value"), true
	}
	m.elems = func(t *rapid.T, verb string) Elems {
		i := rapid.IntRange(-5, 4).Draw(t, "element")
		if verb == "read" && rapid.Bool().Draw(t, "all") {
			return Elems{}
		}
		return Elems{Given: true, Single: true, From: i}
	}
	rapid.Check(t, m.check)
}

// shmPeer adds one to each element as C lays them out, and says how large the
// object is and what it found.
const shmPeer = `
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
int main(int argc, char **argv) {
	int fd = shm_open(argv[1], O_RDWR, 0);
	struct stat st;
	if (fd < 0 || fstat(fd, &st)) { perror("shm_open"); return 1; }
	double *row = mmap(0, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (row == MAP_FAILED) { perror("mmap"); return 1; }
	printf("%ld", (long)st.st_size);
	for (int i = 0; i < st.st_size / sizeof *row; i++) {
		printf(" %g", row[i]);
		row[i] += 1;
	}
	return 0;
}
`

func TestSharedMemoryInC(t *testing.T) {
	program := compileC(t, shmPeer)
	c := newCrew(t, "shared_memory", Args{Main: "d", Fields: map[string]any{"initial": []any{0.5, -2, 1e9}, "name": testName(t)}}, 1)
	if out := startC(t, program, c.d.Address(c.handle)).ends(); strings.TrimSpace(out) != "24 0.5 -2 1e+09" {
		t.Errorf("the program found %q", out)
	}
	if r := c.do(t, 0, order{Verb: "read"}); len(r.Result.([]any)) != 3 || r.Result.([]any)[0] != 1.5 || r.Result.([]any)[1] != -1 {
		t.Errorf("%+v", r)
	}
}
