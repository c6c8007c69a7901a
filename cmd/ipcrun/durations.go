package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"ipcrun/engine/script"
	"ipcrun/spec/decl"
)

// duration is a flag that takes a length of time with its unit; 0 if it was
// not given.
type duration time.Duration

func (d *duration) String() string {
	if *d == 0 {
		return ""
	}
	return time.Duration(*d).String()
}

func (*duration) Type() string { return "D" }

func (d *duration) Set(s string) error {
	n, err := script.ParseDuration(s)
	if f, ok := errors.AsType[*decl.Failure](err); ok {
		return errors.New(f.Detail)
	}
	if err != nil {
		return err
	}
	if n == 0 {
		return errors.New("a limit of nothing lets nothing run; leave it out for the default")
	}
	*d = duration(n)
	return nil
}

// factor is a flag that takes a number above zero.
type factor float64

func (f *factor) String() string { return strconv.FormatFloat(float64(*f), 'g', -1, 64) }
func (*factor) Type() string     { return "F" }

func (f *factor) Set(s string) error {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v > 0) || v > 1e6 {
		return fmt.Errorf("%q is no number above 0", s)
	}
	*f = factor(v)
	return nil
}
