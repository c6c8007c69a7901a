package sig

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Sig{
		"SIGINT": 2, "INT": 2, "int": 2, "sigint": 2, "2": 2,
		"SIGIOT": 6, "SIGPOLL": 29, "CLD": 17, "SIGABRT": 6,
		"RTMIN": 34, "SIGRTMIN+3": 37, "RTMIN+3": 37, "SIGRTMAX": 64,
		"SIGRTMAX-1": 63, "rtmax-30": 34, "RTMIN+30": 64, "34": 34, "64": 64,
		"SIGKILL": 9, "STOP": 19,
	} {
		got, err := Parse(text)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":           `no signal is called ""`,
		"SIGITN":     "the nearest: SIGINT",
		"usr":        "SIGUSR1, SIGUSR2",
		"banana":     `no signal is called "banana"; kill -l`,
		"0":          "0 is no signal",
		"32":         "C library",
		"65":         "there is no signal 65",
		"-1":         "there is no signal -1",
		"RTMIN+31":   "outside",
		"RTMIN-1":    "outside",
		"RTMAX+1":    "outside",
		"RTMIN+":     "after SIGRTMIN",
		"RTMIN3":     "no signal is called",
		"RTMIN+9999": "outside",
	} {
		s, err := Parse(text)
		if err == nil {
			t.Errorf("Parse(%q) = %v, want an error", text, s)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): %v; want it to say %q", text, err, want)
		}
	}
}

func TestNamesRoundTrip(t *testing.T) {
	all := All()
	if len(all) != 62 {
		t.Fatalf("%d signals, want 62", len(all))
	}
	for _, s := range all {
		got, err := Parse(s.String())
		if err != nil || got != s {
			t.Errorf("Parse(%q) = %d, %v; want %d", s.String(), got, err, s)
		}
	}
}

func TestTableIsComplete(t *testing.T) {
	for _, s := range All() {
		if s.Meaning() == "" || !strings.HasSuffix(s.Meaning(), ".") || s.Chinese() == "" || s.Default() == 0 {
			t.Errorf("%v: %q, %q, %v", s, s.Meaning(), s.Chinese(), s.Default())
		}
		if want := s != 9 && s != 19; s.Catchable() != want {
			t.Errorf("%v: catchable is %v", s, !want)
		}
	}
	for _, s := range []Sig{0, 32, 33, 65, -1} {
		if s.Valid() || s.Catchable() || s.Default() != 0 || s.Meaning() != "" || s.Chinese() != "" {
			t.Errorf("%d passes for a signal", int(s))
		}
	}
}

func TestFacts(t *testing.T) {
	for s, want := range map[Sig]Action{
		INT: Terminate, QUIT: Core, KILL: Terminate, CHLD: Ignore, CONT: Continue,
		STOP: Stop, TSTP: Stop, 28: Ignore, 31: Core, RTMIN: Terminate,
	} {
		if got := s.Default(); got != want {
			t.Errorf("%v: %v by default, want %v", s, got, want)
		}
	}
	for s, want := range map[Sig]string{2: "SIGINT", 29: "SIGIO", 34: "SIGRTMIN", 37: "SIGRTMIN+3", 49: "SIGRTMIN+15", 50: "SIGRTMAX-14", 64: "SIGRTMAX", 32: "signal 32"} {
		if got := s.String(); got != want {
			t.Errorf("%d is called %q, want %q", int(s), got, want)
		}
	}
}
