package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// peakMemory is the most memory, in bytes, that this process has had in use at one
// time, 0 if the kernel does not tell. getrusage would count that of whoever has
// started it, too.
func peakMemory() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(text, []byte("\nVmHWM:"))
	line, _, _ := bytes.Cut(rest, []byte(" kB\n"))
	n, _ := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
	return n << 10
}

// mebibytes is an amount of memory as one reads it.
func mebibytes(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }
