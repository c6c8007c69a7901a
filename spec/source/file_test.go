package source

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLines(t *testing.T) {
	tests := []struct {
		name, data string
		want       []string
	}{
		{"empty", "", nil},
		{"only a mark", "\ufeff", nil},
		{"no line end", "a", []string{"a"}},
		{"final line end", "a\n", []string{"a"}},
		{"empty lines", "\n\nb\n", []string{"", "", "b"}},
		{"crlf", "a\r\nb\r\n", []string{"a", "b"}},
		{"lone cr", "a\rb\nc", []string{"a\rb", "c"}},
		{"cr at the end", "a\r", []string{"a\r"}},
		{"crlf empty", "\r\n\r\n", []string{"", ""}},
		{"mark", "\ufeffa\nb", []string{"a", "b"}},
		{"invalid", "\xffa\n\xc3", []string{"\xffa", "\xc3"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := New("x", []byte(tt.data))
			if f.Lines() != len(tt.want) {
				t.Fatalf("Lines() = %d, want %d", f.Lines(), len(tt.want))
			}
			for i, w := range tt.want {
				if got := f.Line(i + 1); got != w {
					t.Errorf("Line(%d) = %q, want %q", i+1, got, w)
				}
			}
			for _, n := range []int{-1, 0, len(tt.want) + 1, len(tt.want) + 2} {
				if got := f.Line(n); got != "" {
					t.Errorf("Line(%d) = %q, want nothing", n, got)
				}
			}
		})
	}
}

func TestPositions(t *testing.T) {
	tests := []struct {
		name, data string
		offset     int
		want       string
	}{
		{"start", "ab\ncd", 0, "1:1"},
		{"line end", "ab\ncd", 2, "1:3"},
		{"next line", "ab\ncd", 3, "2:1"},
		{"end", "ab\ncd", 5, "2:3"},
		{"beyond", "ab\ncd", 99, "2:3"},
		{"negative", "ab\ncd", -1, "1:1"},
		{"after the final line end", "ab\n", 3, "2:1"},
		{"chinese", "老司机: x", 9, "1:4"},
		{"inside a rune", "老司机", 4, "1:2"},
		{"in crlf", "a\r\nb", 2, "1:2"},
		{"after crlf", "a\r\nb", 3, "2:1"},
		{"in the mark", "\ufeffab", 1, "1:1"},
		{"after the mark", "\ufeffab", 4, "1:2"},
		{"invalid bytes", "\xff\xfea", 2, "1:3"},
		{"empty", "", 0, "1:1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := New("x", []byte(tt.data)).PosAt(tt.offset).String(); got != tt.want {
				t.Errorf("PosAt(%d) = %s, want %s", tt.offset, got, tt.want)
			}
		})
	}
}

func TestOffsetClamps(t *testing.T) {
	f := New("x", []byte("\ufeffab\r\n老\n"))
	for _, tt := range []struct {
		p    Pos
		want int
	}{
		{Pos{}, 3}, {Pos{1, 0}, 3}, {Pos{1, 1}, 3}, {Pos{1, 3}, 5}, {Pos{1, 9}, 5},
		{Pos{2, 1}, 7}, {Pos{2, 2}, 10}, {Pos{2, 3}, 10}, {Pos{3, 1}, 11}, {Pos{9, 9}, 11},
	} {
		if got := f.Offset(tt.p); got != tt.want {
			t.Errorf("Offset(%v) = %d, want %d", tt.p, got, tt.want)
		}
	}
}

// Every rune start outside line ends must survive the way there and back, on
// lines far longer than the distance between two marks.
func TestRoundTrip(t *testing.T) {
	data := "\ufeff" + strings.Repeat("a老\xff🙂", 500) + "\r\n" + strings.Repeat("b\n", 300) + strings.Repeat("é", 400)
	f := New("x", []byte(data))
	for o := 3; o < len(data); {
		_, n := utf8.DecodeRuneInString(data[o:])
		if data[o] != '\n' {
			if got := f.Offset(f.PosAt(o)); got != o {
				t.Fatalf("offset %d is %v, which is offset %d", o, f.PosAt(o), got)
			}
		}
		o += n
	}
}

func TestSlice(t *testing.T) {
	f := New("x", []byte("ab老c\r\nde"))
	for _, tt := range []struct {
		s    Span
		want string
	}{
		{Span{}, ""},
		{Span{Start: Pos{1, 3}}, "老"},
		{Span{Start: Pos{1, 5}}, ""},
		{Span{Start: Pos{9, 1}}, ""},
		{Span{Pos{1, 2}, Pos{1, 4}}, "b老"},
		{Span{Pos{1, 2}, Pos{1, 2}}, ""},
		{Span{Pos{1, 4}, Pos{1, 2}}, ""},
		{Span{Pos{1, 4}, Pos{2, 2}}, "c\r\nd"},
	} {
		if got := f.Slice(tt.s); got != tt.want {
			t.Errorf("Slice(%v) = %q, want %q", tt.s, got, tt.want)
		}
	}
}

func TestPosString(t *testing.T) {
	for p, want := range map[Pos]string{{}: "", {3, 0}: "3", {3, 7}: "3:7"} {
		if p.String() != want || p.IsValid() != (want != "") {
			t.Errorf("%#v prints %q, valid %v", p, p.String(), p.IsValid())
		}
	}
	if !(Pos{1, 9}).Before(Pos{2, 1}) || (Pos{2, 1}).Before(Pos{2, 1}) || !(Pos{2, 1}).Before(Pos{2, 2}) {
		t.Error("Before does not order by line, then column")
	}
}
