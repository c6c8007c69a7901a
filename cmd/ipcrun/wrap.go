package main

import (
	"strings"

	"ipcrun/spec/source"
)

// plainWidth is how wide explanations are where there is no terminal.
const plainWidth = 80

// widestText is the widest line of running text that reads well.
const widestText = 100

// leastText is what a column of running text has at least, however narrow the
// terminal is.
const leastText = 24

// wrap breaks running text into lines of at most width cells. Words are kept
// whole unless one of them is too long by itself, as Chinese text is.
func wrap(text string, width int) []string {
	width = max(width, leastText)
	var lines []string
	line, used := "", 0
	end := func() {
		if line != "" {
			lines = append(lines, line)
		}
		line, used = "", 0
	}
	for _, word := range strings.Fields(text) {
		n := source.Cells(word)
		if used > 0 && used+1+n > width && n <= width {
			end()
		}
		if used > 0 {
			line, used = line+" ", used+1
		}
		if used+n <= width {
			line, used = line+word, used+n
			continue
		}
		for _, r := range word {
			c := source.Cells(string(r))
			if used+c > width {
				line = strings.TrimRight(line, " ")
				end()
			}
			line, used = line+string(r), used+c
		}
	}
	end()
	return lines
}

// columns aligns rows by terminal cells and wraps their last column, keeping
// its indentation, so that no line is wider than width.
func columns(rows [][]string, width int) []string {
	var wide []int
	for _, row := range rows {
		for i, cell := range row[:len(row)-1] {
			if i == len(wide) {
				wide = append(wide, 0)
			}
			wide[i] = max(wide[i], source.Cells(cell))
		}
	}
	var out []string
	for _, row := range rows {
		head := ""
		for i, cell := range row[:len(row)-1] {
			head += source.Pad(cell, wide[i]) + "  "
		}
		text := row[len(row)-1]
		head += text[:len(text)-len(strings.TrimLeft(text, " "))]
		lines := wrap(text, width-source.Cells(head))
		if len(lines) == 0 {
			lines = []string{""}
		}
		for i, line := range lines {
			if i > 0 {
				head = strings.Repeat(" ", source.Cells(head))
			}
			out = append(out, strings.TrimRight(head+line, " "))
		}
	}
	return out
}
