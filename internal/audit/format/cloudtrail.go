package format

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strconv"

	"sallyport/internal/store"
)

// CloudTrail is the event's own bytes, which the chain's hash is over, closed by a member "sallyport" with the event's number
// and the chain's head: cutting the member off again verifies them.
type CloudTrail struct{}

// MaxMember is the most that the member adds to an event.
const MaxMember = 128

// errNoObject is what is wrong with an event that no JSON object is.
var errNoObject = errors.New("the event is not a JSON object")

// Format writes the event and its member.
func (CloudTrail) Format(e store.SealedEvent) ([]byte, error) {
	body, ok := bytes.CutSuffix(e.JSON, []byte("}"))
	if !ok {
		return nil, errNoObject
	}
	b := make([]byte, 0, len(e.JSON)+MaxMember)
	b = append(b, body...)
	if len(body) > 1 { // there is a member before it
		b = append(b, ',')
	}
	b = append(b, `"sallyport":{"seq":`...)
	b = strconv.AppendInt(b, e.Seq, 10)
	b = append(b, `,"hash":"`...)
	b = hex.AppendEncode(b, e.Hash)
	return append(b, `"}}`...), nil
}
