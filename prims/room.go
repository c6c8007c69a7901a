package prims

import "math"

// pipeRoom is the room of a pipe. What the kernel gives one depends on what else its user
// has, but is never less than a page, in which short writes lie one behind the other.
func pipeRoom(a Args) Room {
	r := Room{Most: pipeBuf, Partly: true}
	raw := isStream(a)
	switch {
	case !isOneWay(a):
		r.Most = socketBuffer()
		r.Takes = func(_ string, v any) int { return socketBytes(v, raw) }
	case raw:
		r.Takes = func(_ string, v any) int { return writtenBytes(v) }
	default:
		r.Takes = func(_ string, v any) int { return frameBytes(v) }
	}
	return r
}

// socketPiece is what a socket takes at once, or nothing of it, bytes.
const socketPiece = 32 << 10

// pipeAhead: a long text has the number of its beginning, and is written in pieces,
// between which others receive. Messages get a number for each piece.
func pipeAhead(a Args, v any) bool {
	piece := socketPiece
	if isOneWay(a) {
		piece = pipeBuf
	}
	return isStream(a) && writtenBytes(v) > piece
}

// socketAhead: messages, too, have the number of their beginning.
func socketAhead(a Args, v any) bool {
	if _, raw := socketArgs(a); raw {
		return writtenBytes(v) > socketPiece
	}
	return frameBytes(v) > socketPiece
}

// writtenBytes is how many bytes were written, by the value of the record.
func writtenBytes(v any) int {
	text, ok := v.(string)
	if !ok { // it was too long for the record
		return math.MaxInt32
	}
	return len(text)
}

// frameBytes bounds the bytes of a message, its length included.
func frameBytes(v any) int {
	const lengths = 12
	return jsonBytes(v) + lengths
}

// socketBytes bounds what a socket's buffer is charged for a send: each piece has a head
// of the kernel's, and memory comes in powers of two or whole pages.
func socketBytes(v any, raw bool) int {
	const head = 2048
	if raw {
		return head + 2*writtenBytes(v)
	}
	return head + 2*frameBytes(v)
}

// jsonBytes bounds the bytes of a value as appendJSON writes it.
func jsonBytes(v any) int {
	const number, escape, around = 32, 6, 4
	switch x := v.(type) {
	case string:
		return escape*len(x) + around
	case []any:
		n := around
		for _, e := range x {
			n += jsonBytes(e) + around
		}
		return n
	case map[string]any:
		if x["cut"] != nil && x["bytes"] != nil {
			return math.MaxInt32 // it may have been too long for the record
		}
		n := around
		for k, e := range x {
			n += jsonBytes(k) + jsonBytes(e) + around
		}
		return n
	}
	return number
}
