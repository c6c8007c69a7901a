//go:build linux

package sandbox

import "os"

// init takes over the processes that this package starts. It runs before the
// packages above are initialised, which these processes do not need.
func init() {
	if len(os.Args) < 2 {
		return
	}
	switch os.Args[0] {
	case StageName:
		runStage(os.Args[1:])
	case trialName:
		runTrial(os.Args[1:])
	}
}
