package source

import "testing"

func TestCells(t *testing.T) {
	for s, want := range map[string]int{
		"": 0, "abc": 3, "老司机": 6, "é": 1, "e\u0301": 1, "🙂": 2, "👨\u200d👩\u200d👧": 2, "…": 1, "：": 2,
	} {
		if got := Cells(s); got != want {
			t.Errorf("Cells(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestExpand(t *testing.T) {
	for _, tt := range []struct {
		s    string
		tab  int
		want string
	}{
		{"abc", 4, "abc"},
		{"\ta", 4, "    a"},
		{"a\tb", 4, "a   b"},
		{"abcd\tb", 4, "abcd    b"},
		{"老\tb", 4, "老  b"},
		{"\t\t", 2, "    "},
		{"a\tb", 0, "a b"},
	} {
		if got := Expand(tt.s, tt.tab); got != tt.want {
			t.Errorf("Expand(%q, %d) = %q, want %q", tt.s, tt.tab, got, tt.want)
		}
	}
}

func TestVisible(t *testing.T) {
	for s, want := range map[string]string{
		"plain\ttext":          "plain\ttext",
		"\x1b[31m":             "␛[31m",
		"a\x00\x7f\r\n":        "a␀␡␍␊",
		"\xff\xc3":             `\xff\xc3`,
		"a\u202eb\u200b\ufeff": "a<U+202E>b<U+200B><U+FEFF>",
		"\u0085\u2028":         "<U+0085><U+2028>",
		"👨\u200d👩 老司机 e\u0301": "👨\u200d👩 老司机 e\u0301",
		"\U000e0001":           "<U+E0001>",
		"\ufffd":               "\ufffd",
	} {
		if got := Visible(s); got != want {
			t.Errorf("Visible(%q) = %q, want %q", s, got, want)
		}
	}
}
