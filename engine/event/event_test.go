package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

// TestWriteAll: what JSON has no number for is text, at any depth, and what is in
// the log is not touched by that.
func TestWriteAll(t *testing.T) {
	deep := []any{1, map[string]any{"x": []any{math.Inf(-1), 0.5}, "y": nil}}
	log := []Event{
		{At: 1, Type: "end", Value: math.NaN()},
		{At: 2, Type: "end", Value: math.Inf(1)},
		{At: 3, Type: "end", Value: deep},
		{At: 4, Type: "end", Value: "\xff"},
		{At: 5, Type: "end", Value: map[string]any{}},
	}
	var b bytes.Buffer
	if err := WriteAll(&b, log); err != nil {
		t.Fatal(err)
	}
	if !math.IsInf(deep[1].(map[string]any)["x"].([]any)[0].(float64), -1) {
		t.Error("the log itself has changed")
	}
	read, err := ReadAll(&b)
	if err != nil || len(read) != len(log) {
		t.Fatalf("%d events, %v", len(read), err)
	}
	for i, want := range []any{
		"NaN", "Infinity",
		[]any{1.0, map[string]any{"x": []any{"-Infinity", 0.5}, "y": nil}},
		"\ufffd", map[string]any{},
	} {
		if !reflect.DeepEqual(read[i].Value, want) {
			t.Errorf("event %d: %#v, want %#v", i+1, read[i].Value, want)
		}
	}
}

// TestWriteAllFails: an event that cannot be written is told, and takes none along.
func TestWriteAllFails(t *testing.T) {
	var b bytes.Buffer
	err := WriteAll(&b, []Event{{Type: "a"}, {Type: "b", Value: func() {}}, {Type: "c"}})
	if _, ok := errors.AsType[*json.UnsupportedTypeError](err); !ok || !strings.HasPrefix(err.Error(), "event 2: ") {
		t.Errorf("the error is %v", err)
	}
	if got := strings.Count(b.String(), "\n"); got != 2 {
		t.Errorf("%d lines: %s", got, b.String())
	}
}
