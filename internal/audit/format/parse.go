package format

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"sallyport/internal/store"
)

var errNotSealed = errors.New("this is not an event with its number and its hash")

const (
	maxEvent     = 256 << 10 // CloudTrail's
	memberStart  = `,"sallyport":{"seq":`
	memberMiddle = `,"hash":"`
	memberEnd    = `"}}`
)

// ParseCloudTrail undoes [CloudTrail]: the event as it was sealed. Whether its hash is right is not looked at. The test of a sink has
// the number 0 and no hash.
func ParseCloudTrail(line []byte) (e store.SealedEvent, err error) {
	line = bytes.TrimSpace(line)
	at := bytes.LastIndex(line, []byte(memberStart))
	if at < 0 || len(line) > maxEvent+MaxMember {
		return e, errNotSealed
	}
	number, rest, ok := bytes.Cut(line[at+len(memberStart):], []byte(memberMiddle))
	hash, ok2 := bytes.CutSuffix(rest, []byte(memberEnd))
	if !ok || !ok2 {
		return e, errNotSealed
	}
	if e.Seq, err = strconv.ParseInt(string(number), 10, 64); err != nil || e.Seq < 0 {
		return e, errNotSealed
	}
	if e.Hash, err = hex.DecodeString(string(hash)); err != nil || len(e.Hash) != 32 && (e.Seq > 0 || len(e.Hash) > 0) {
		return e, errNotSealed
	}
	e.JSON = append(bytes.Clone(line[:at]), '}')
	var of struct {
		EventID   string    `json:"eventID"`
		EventTime time.Time `json:"eventTime"`
	}
	if err := json.Unmarshal(e.JSON, &of); err != nil || of.EventID == "" {
		return e, errNotSealed
	}
	e.ID, e.At = of.EventID, of.EventTime
	return e, nil
}
