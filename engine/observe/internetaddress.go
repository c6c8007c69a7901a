//go:build linux && (amd64 || arm64)

package observe

import "strconv"

// internetAddress writes an address of IPv4 or IPv6 with its port, as package
// net/netip does (RFC 5952). It is written here since that package is initialised
// late, and those who need this one, of which every program has two, would be
// initialised still later, with all that they have no use for.
func internetAddress(ip []byte, port uint16) string {
	var b []byte
	if len(ip) == 4 {
		b = appendQuad(b, ip)
	} else {
		b = append(b, '[')
		b = appendGroups(b, ip)
		b = append(b, ']')
	}
	b = append(b, ':')
	return string(strconv.AppendUint(b, uint64(port), 10))
}

func appendQuad(b, ip []byte) []byte {
	for i, n := range ip {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendUint(b, uint64(n), 10)
	}
	return b
}

// appendGroups writes an address of IPv6. The longest run of zeros, two groups at the
// least and the first of several, is left out.
func appendGroups(b, ip []byte) []byte {
	group := func(i int) uint64 { return uint64(ip[2*i])<<8 | uint64(ip[2*i+1]) }
	from, to := 8, 8
	for i := 0; i < 8; i++ {
		end := i
		for end < 8 && group(end) == 0 {
			end++
		}
		if n := end - i; n >= 2 && n > to-from {
			from, to = i, end
		}
		i = max(i, end-1)
	}
	if from == 0 && to == 5 && group(5) == 0xffff { // an address of IPv4
		return appendQuad(append(b, "::ffff:"...), ip[12:])
	}
	for i := 0; i < 8; i++ {
		if i == from {
			b = append(b, "::"...)
			if i = to; i == 8 {
				break
			}
		} else if i > 0 {
			b = append(b, ':')
		}
		b = strconv.AppendUint(b, group(i), 16)
	}
	return b
}
