//go:build !linux

package prims

func createMqueue(*Creation) error { return errLinux }

func attachMqueue(*Attachment) (any, error) { return nil, errLinux }

func unlinkMqueue(string) error { return errLinux }

func (q *mqueue) put(string, int) (bool, error) { return false, errLinux }

func (q *mqueue) take() (string, int, bool, error) { return "", 0, false, errLinux }

func (q *mqueue) size() int { return 0 }
