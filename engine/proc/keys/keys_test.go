package keys

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for name, want := range map[string]string{
		"ctrl-a": "\x01", "ctrl-c": "\x03", "CTRL-Z": "\x1a", "ctrl-\\": "\x1c",
		"ctrl-]": "\x1d", "ctrl-^": "\x1e", "ctrl-_": "\x1f", "ctrl-@": "\x00",
		"ctrl-[": "\x1b", "enter": "\r", "tab": "\t", "esc": "\x1b",
		"backspace": "\x7f", "space": " ", "up": "\x1b[A", "down": "\x1b[B",
		"left": "\x1b[D", "right": "\x1b[C",
	} {
		got, err := Parse(name)
		if err != nil || string(got) != want {
			t.Errorf("Parse(%q) = %q, %v; want %q", name, got, err, want)
		}
	}
}

func TestParseUnknown(t *testing.T) {
	for name, want := range map[string]string{
		"crtl-c":  `no key is called "crtl-c"; the nearest: ctrl-c`,
		"entre":   `no key is called "entre"; the nearest: enter`,
		"hyper-9": "ctrl-a to ctrl-z",
		"":        "ctrl-a to ctrl-z",
	} {
		b, err := Parse(name)
		if err == nil {
			t.Errorf("Parse(%q) = %q, want an error", name, b)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): %v; want it to say %q", name, err, want)
		}
	}
}

func TestNamesParse(t *testing.T) {
	if n := len(Names()); n != 41 {
		t.Errorf("%d names, want 41", n)
	}
	for _, name := range Names() {
		if b, err := Parse(name); err != nil || len(b) == 0 {
			t.Errorf("Parse(%q) = %q, %v", name, b, err)
		}
	}
}
