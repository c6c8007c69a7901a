package prims

import "testing"

// TestRecheck: however many wait, together they look about as often as lookers do,
// and a few look as soon as one.
func TestRecheck(t *testing.T) {
	for n := range 3000 {
		every := recheckEvery(n)
		if n < 2*lookers && every != recheck {
			t.Errorf("one of %d looks every %d", n, every)
		}
		if int64(n)*recheck >= 2*lookers*every {
			t.Errorf("%d look %d times in the time of %d rechecks", n, int64(n)*recheck/every, lookers)
		}
	}
}
