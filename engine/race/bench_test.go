package race

import "testing"

// BenchmarkFind: what it costs to look for races, nanoseconds and bytes for each
// operation: two tills with a lock, and one till alone, whom nobody can race.
func BenchmarkFind(b *testing.B) {
	for _, c := range []struct {
		name  string
		tills int
	}{{"two_tills", 2}, {"one_till", 1}} {
		b.Run(c.name, func(b *testing.B) {
			const rounds = 50_000
			l := &log{}
			for i := range rounds {
				s := i % c.tills
				l.op(s, acquire, gate).op(s, read, memory).op(s, write, memory).op(s, release, gate)
			}
			ops := float64(4 * rounds)
			b.ReportAllocs()
			for b.Loop() {
				if found := Find(2, l, world(func(int) bool { return false }, anyNumber), 10); len(found) != 0 {
					b.Fatal(found)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/ops, "ns/operation")
		})
	}
}
