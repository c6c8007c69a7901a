//go:build linux

package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestHidden: what is hidden cannot be seen, whether it lies in the /tmp that is
// covered or not, and what is visible or writable below it can.
func TestHidden(t *testing.T) {
	for _, tmp := range []bool{true, false} {
		t.Run(fmt.Sprintf("own /tmp %v", tmp), func(t *testing.T) {
			m := Here()
			dir := t.TempDir()
			if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
				t.Fatal(err)
			}
			for _, d := range []string{"secret/open", "secret/work"} {
				if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for _, f := range []string{"answer", "open/given"} {
				if err := os.WriteFile(filepath.Join(dir, "secret", f), []byte("42"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want := wholeBox()
			want.Tmp = tmp
			want.Hidden = []string{filepath.Join(dir, "secret"), filepath.Join(dir, "nothing")}
			want.Visible = append(want.Visible, filepath.Join(dir, "secret/open"))
			if !tmp {
				want.Writable = append(want.Writable, "/tmp")
			}
			c, failed := contain(t, m, want, filepath.Join(dir, "secret/work"), "/bin/sh", "-c", fmt.Sprintf(`
cd %s
echo "answer $(cat answer 2> /dev/null)"
echo "given $(cat open/given)"
echo mine > work/mine && echo "mine $(cat work/mine)"`, filepath.Join(dir, "secret")))
			if failed != nil {
				t.Fatal(failed.Failed)
			}
			secret := "answer "
			if len(c.box.Hidden) == 0 {
				t.Logf("nothing can be hidden here")
				secret += "42"
			}
			for _, want := range []string{secret, "given 42", "mine mine"} {
				if got := c.line(); got != want {
					t.Errorf("it says %q, want %q", got, want)
				}
			}
			if st, _ := c.ended(); st.ExitStatus() != 0 {
				t.Errorf("%v", st)
			}
		})
	}
}
