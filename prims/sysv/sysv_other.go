//go:build !linux || !(amd64 || arm64)

package sysv

// Elsewhere none can be made: scenarios can be checked there, not run.

// Create fails.
func (f Family) Create(int32, int) (int, error) { return 0, ErrUnsupported }

// Remove fails.
func (f Family) Remove(int) error { return ErrUnsupported }

// Open fails.
func (f Family) Open(int, uint32) error { return ErrUnsupported }

// Perm fails.
func (f Family) Perm(int) (Perm, error) { return Perm{}, ErrUnsupported }

// Listed finds none.
func (f Family) Listed(int32) (int, Perm, bool) { return 0, Perm{}, false }

// Refused is the error itself.
func (f Family) Refused(err error, _ int) error { return err }

// Resize fails.
func Resize(int, int) error { return ErrUnsupported }

// StatQueue fails.
func StatQueue(int) (QueueStat, error) { return QueueStat{}, ErrUnsupported }

// StatSegment fails.
func StatSegment(int) (SegmentStat, error) { return SegmentStat{}, ErrUnsupported }

// GetAll fails.
func GetAll(int, int) ([]int, error) { return nil, ErrUnsupported }

// SetAll fails.
func SetAll(int, []int) error { return ErrUnsupported }

// GetVal fails.
func GetVal(int, int) (int, error) { return 0, ErrUnsupported }

// GetPid fails.
func GetPid(int, int) (int, error) { return 0, ErrUnsupported }

// GetNcnt fails.
func GetNcnt(int, int) (int, error) { return 0, ErrUnsupported }

// GetZcnt fails.
func GetZcnt(int, int) (int, error) { return 0, ErrUnsupported }

// SetVal fails.
func SetVal(int, int, int) error { return ErrUnsupported }

// Attach fails.
func Attach(int, bool) ([]byte, error) { return nil, ErrUnsupported }

// Detach fails.
func Detach([]byte) error { return ErrUnsupported }

// Ftok fails.
func Ftok(string, int) (int32, error) { return 0, ErrUnsupported }

// MaxBytes is not known.
func MaxBytes() int { return 0 }

// MaxMessage is not known.
func MaxMessage() (int, error) { return 0, ErrUnsupported }

// MaxOps is not known.
func MaxOps() (int, error) { return 0, ErrUnsupported }
