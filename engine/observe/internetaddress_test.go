//go:build linux && (amd64 || arm64)

package observe

import (
	"bytes"
	"net/netip"
	"testing"
)

// FuzzInternetAddress: an address reads as package net/netip writes it. Bits of
// zeros say which groups are 0, as random ones seldom are.
func FuzzInternetAddress(f *testing.F) {
	f.Add([]byte{127, 0, 0, 1}, uint8(0), uint16(80))
	f.Add([]byte("\x20\x01\x0d\xb8\x00\x01\x12\x34\x00\x02\x00\x03\x00\x0a\x00\x0b"), uint8(0), uint16(0))
	mapped := []byte{10: 0xff, 11: 0xff, 12: 192, 13: 0, 14: 2, 15: 1}
	f.Add(mapped, uint8(0), uint16(65535))
	for zeros := range 256 {
		f.Add([]byte("\xfe\x80\x00\x01\x0a\xbc\x00\xff\xff\xff\x10\x00\x00\x10\x01\x01"), uint8(zeros), uint16(zeros))
	}
	f.Fuzz(func(t *testing.T, ip []byte, zeros uint8, port uint16) {
		if len(ip) != 4 && len(ip) != 16 {
			return
		}
		ip = bytes.Clone(ip)
		for i := range len(ip) / 2 {
			if zeros&(1<<i) != 0 {
				ip[2*i], ip[2*i+1] = 0, 0
			}
		}
		addr, _ := netip.AddrFromSlice(ip)
		if got, want := internetAddress(ip, port), netip.AddrPortFrom(addr, port).String(); got != want {
			t.Errorf("%v port %d: %s, not %s", ip, port, got, want)
		}
	})
}
