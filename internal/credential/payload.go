package credential

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"sallyport/internal/fault"
)

// The payload of a session token, version 3: a version byte, then fields in a fixed order. Numbers are varints; texts are
// their length and their bytes. The account and what follows from other fields is not written. Version 1 had no number of cuts:
// what it tells of was given out before the first. Version 2 had no opening of an emergency access.
const (
	payloadVersion = 3
	maxTags        = 50      // STS's limit
	maxPolicy      = 8 << 10 // bytes: room for STS's 2,048 characters; also the bound of decompression
)

var errPayload = errors.New("session token payload is malformed")

// encode writes the payload of a session of a role.
func encode(c *Caller, epoch string) ([]byte, error) {
	if len(c.Tags) > maxTags {
		return nil, fault.Invalidf("A session can have at most %d tags.", maxTags)
	}
	policy, err := deflate(c.SessionPolicy)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, 512)
	b = append(b, payloadVersion)
	b = binary.AppendVarint(b, c.Issued.UnixMicro())
	b = binary.AppendVarint(b, c.Expires.UnixMicro())
	b = binary.AppendVarint(b, mfaMicros(c.MFATime))
	b = binary.AppendVarint(b, c.CutsSeen)
	for _, s := range [...]string{
		epoch, c.RoleARN, c.RoleID, c.SessionName, c.UserName, c.UserID,
		c.SessionID, c.ParentID, c.PermissionSet, c.ViaKey, c.SourceIdentity, policy,
	} {
		b = appendText(b, s)
	}
	b = appendText(b, c.Emergency)
	b = binary.AppendUvarint(b, uint64(len(c.Tags)))
	for _, k := range slices.Sorted(maps.Keys(c.Tags)) {
		b = appendText(appendText(b, k), c.Tags[k])
	}
	return b, nil
}

// decode reads what encode has written. It trusts no length, though the bytes have been authenticated.
func decode(b []byte) (c Caller, epoch string, err error) {
	r := reader{b: b}
	version := r.byte()
	if version < 1 || version > payloadVersion {
		return Caller{}, "", errPayload
	}
	c.Issued, c.Expires = r.time(), r.time()
	if n := r.varint(); n != 0 {
		c.MFATime = time.UnixMicro(n).UTC()
	}
	if version > 1 {
		c.CutsSeen = r.varint()
	}
	var policy string
	for _, s := range [...]*string{
		&epoch, &c.RoleARN, &c.RoleID, &c.SessionName, &c.UserName, &c.UserID,
		&c.SessionID, &c.ParentID, &c.PermissionSet, &c.ViaKey, &c.SourceIdentity, &policy,
	} {
		*s = r.text()
	}
	if version > 2 {
		c.Emergency = r.text()
	}
	if n := r.uvarint(); n > maxTags {
		r.bad = true
	} else if n > 0 {
		c.Tags = make(map[string]string, n)
		for range n {
			k := r.text()
			c.Tags[k] = r.text()
		}
	}
	if r.bad || len(r.b) > 0 {
		return Caller{}, "", errPayload
	}
	c.SessionPolicy, err = inflate(policy)
	return c, epoch, err
}

// deflate shortens a session policy. IAM policies repeat themselves, and a token has 4,096 bytes.
func deflate(policy string) (string, error) {
	if policy == "" {
		return "", nil
	}
	if len(policy) > maxPolicy {
		return "", fault.Invalidf("The session policy is too long: %d bytes; at most %d can be used.", len(policy), maxPolicy)
	}
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return "", err
	}
	if _, err := io.WriteString(w, policy); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return out.String(), nil
}

func inflate(packed string) (string, error) {
	if packed == "" {
		return "", nil
	}
	out, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader([]byte(packed))), maxPolicy+1))
	if err != nil || len(out) > maxPolicy || !utf8.Valid(out) {
		return "", errPayload
	}
	return string(out), nil
}

func mfaMicros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// reader takes fields off the front of b. After the first bad one all others are empty.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) byte() byte {
	if r.bad || len(r.b) == 0 {
		r.bad = true
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) uvarint() uint64 {
	n, size := binary.Uvarint(r.b)
	if r.bad || size <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) varint() int64 {
	n, size := binary.Varint(r.b)
	if r.bad || size <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) time() time.Time { return time.UnixMicro(r.varint()).UTC() }

func (r *reader) text() string {
	n := r.uvarint()
	if r.bad || n > uint64(len(r.b)) {
		r.bad = true
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}
