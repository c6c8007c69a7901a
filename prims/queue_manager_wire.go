package prims

import (
	"encoding/binary"
	"errors"
)

// What a process and the manager of a queue say to one another, over a stream
// socket. All numbers are little-endian.
//
//	request  length, 4 bytes | id, 4 | what is asked, 1 | item, or a number of 8 bytes
//	answer   length, 4 bytes | id, 4 | how it went, 1 | number, 8 | item
//
// length is that of what follows it. id is the request's, so that a process
// which a signal takes away from one request can make others meanwhile. number
// is that of the operation, or the size that was asked for.
const (
	askPut = iota + 1
	askPutNow
	askGet
	askGetNow
	askSize
	// askWithdraw takes back the request with the same id. If it was carried out
	// already nothing happens, else the answer is saidWithdrawn.
	askWithdraw
	// askReturn gives the item back that the get of that number has taken.
	askReturn
)

const (
	saidDone = iota + 1
	saidRefused
	saidShort // no memory for the item
	saidWithdrawn
)

const (
	requestHead = 9
	answerHead  = 17
)

var errWire = errors.New("what the other side says makes no sense")

// appendRequest appends a request to b.
func appendRequest(b []byte, id uint32, what byte, item []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(requestHead-4+len(item)))
	b = binary.LittleEndian.AppendUint32(b, id)
	return append(append(b, what), item...)
}

// appendAnswer appends an answer to b.
func appendAnswer(b []byte, id uint32, how byte, number uint64, item []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(answerHead-4+len(item)))
	b = binary.LittleEndian.AppendUint32(b, id)
	b = binary.LittleEndian.AppendUint64(append(b, how), number)
	return append(b, item...)
}

// cutMessage cuts the first message off b: what follows its length. missing is
// how many bytes there must be more at least, where it is not complete.
func cutMessage(b []byte, head int) (message, rest []byte, missing int, err error) {
	if len(b) < 4 {
		return nil, b, head - len(b), nil
	}
	n := int(binary.LittleEndian.Uint32(b))
	if n < head-4 || n > head+managedMost {
		return nil, nil, 0, errWire
	}
	if len(b) < 4+n {
		return nil, b, 4 + n - len(b), nil
	}
	return b[4 : 4+n], b[4+n:], 0, nil
}

// answer is what the manager says to a request.
type answer struct {
	how    byte
	number uint64
	item   []byte
}

func readAnswer(m []byte) (id uint32, a answer) {
	return binary.LittleEndian.Uint32(m), answer{how: m[4], number: binary.LittleEndian.Uint64(m[5:]), item: m[13:]}
}
