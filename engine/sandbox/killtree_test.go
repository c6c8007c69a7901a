package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

func init() {
	// reaps-late ends its child, whose status another thread takes a while later.
	registerHelper("reaps-late", func([]string) {
		child := exec.Command("sleep", "100")
		if err := child.Start(); err != nil {
			fmt.Println(err)
			os.Exit(2)
		}
		go func() {
			var info unix.Siginfo
			_ = unix.Waitid(unix.P_PID, child.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil)
			time.Sleep(50 * time.Millisecond)
			_ = child.Wait()
		}()
		if _, left := KillTree(Hunt{Root: os.Getpid(), Until: time.Now().Add(time.Minute)}); len(left) > 0 {
			fmt.Println("left:", left)
			os.Exit(3)
		}
		if !childless() {
			fmt.Println("a zombie is left")
			os.Exit(4)
		}
	})
}

// TestKillTreeAwaitsReaping: whoever ends its tree and then itself leaves no zombie to
// somebody who does not know it.
func TestKillTreeAwaitsReaping(t *testing.T) {
	cmd := exec.Command(proc.Self())
	cmd.Env = append(os.Environ(), helperEnv+"=reaps-late")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
