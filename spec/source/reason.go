package source

import (
	"errors"
	"io/fs"
)

// Reason is an error without the operation and path that the reader knows.
func Reason(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}
