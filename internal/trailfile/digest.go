package trailfile

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Names that digests have for what they are made with.
const (
	SignatureAlgorithm = "SHA256withRSA"
	HashAlgorithm      = "SHA-256"
)

// Names of the metadata that a digest's object has.
const (
	MetaSignature = "signature"
	MetaAlgorithm = "signature-algorithm"
)

// Digest tells of the log files that were written in a stretch of time. Members are in CloudTrail's order.
type Digest struct {
	AccountID             string    `json:"awsAccountId"`
	StartTime             string    `json:"digestStartTime"`
	EndTime               string    `json:"digestEndTime"`
	Bucket                string    `json:"digestS3Bucket"`
	Object                string    `json:"digestS3Object"`
	Fingerprint           string    `json:"digestPublicKeyFingerprint"`
	Algorithm             string    `json:"digestSignatureAlgorithm"`
	NewestEventTime       *string   `json:"newestEventTime"`
	OldestEventTime       *string   `json:"oldestEventTime"`
	PreviousBucket        *string   `json:"previousDigestS3Bucket"`
	PreviousObject        *string   `json:"previousDigestS3Object"`
	PreviousHash          *string   `json:"previousDigestHashValue"`
	PreviousHashAlgorithm *string   `json:"previousDigestHashAlgorithm"`
	PreviousSignature     *string   `json:"previousDigestSignature"`
	LogFiles              []LogFile `json:"logFiles"`
	Stretch               *Stretch  `json:"sallyport,omitempty"`

	signed []byte
}

// LogFile is a log file as a digest tells of it.
type LogFile struct {
	Bucket          string  `json:"s3Bucket"`
	Object          string  `json:"s3Object"`
	Hash            string  `json:"hashValue"`
	Algorithm       string  `json:"hashAlgorithm"`
	NewestEventTime string  `json:"newestEventTime"`
	OldestEventTime string  `json:"oldestEventTime"`
	Part            *LogNum `json:"sallyport,omitempty"`
}

// LogNum says which events of the audit log a file holds: some of those after From, up to To.
type LogNum struct {
	From   int64 `json:"fromSeq"`
	To     int64 `json:"toSeq"`
	Events int64 `json:"events"`
}

// Stretch says which part of the audit log a digest stands for, and the log's chain at both ends. Whole says that the log files hold
// every event of it, so that the chain can be computed again from them.
type Stretch struct {
	From     int64  `json:"fromSeq"`
	FromHash string `json:"fromHash"`
	To       int64  `json:"toSeq"`
	ToHash   string `json:"toHash"`
	Whole    bool   `json:"whole"`
	Closing  bool   `json:"closing,omitempty"` // logging was stopped here, or the trail deleted
}

// Time is a time as digests have it.
func Time(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Signed is the text that the signature is over.
func (d *Digest) Signed(plain []byte) []byte {
	sum := sha256.Sum256(plain)
	previous := "null"
	if d.PreviousSignature != nil {
		previous = *d.PreviousSignature
	}
	return []byte(d.EndTime + "\n" + d.Bucket + "/" + d.Object + "\n" + hex.EncodeToString(sum[:]) + "\n" + previous)
}

// Encode writes a digest.
func (d *Digest) Encode() ([]byte, error) {
	b, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encode digest: %w", err)
	}
	return b, nil
}

// ParseDigest reads a digest. What validate-logs could not do without must be there.
func ParseDigest(plain []byte) (*Digest, error) {
	d := new(Digest)
	if err := json.Unmarshal(plain, d); err != nil {
		return nil, fmt.Errorf("read digest: %w", err)
	}
	if d.EndTime == "" || d.StartTime == "" || d.Bucket == "" || d.Object == "" || d.Fingerprint == "" {
		return nil, errors.New("read digest: a member is missing")
	}
	return d, nil
}

// Compress makes the bytes of an object. Equal contents give equal bytes.
func Compress(plain []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(plain); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return b.Bytes(), nil
}

// maxDigest bounds a digest that is read: of an hour with as many log files as there can be.
const maxDigest = 64 << 20

// Expand is the inverse of Compress. Bytes behind the end, a second stream, or a missing end are errors.
func Expand(r io.Reader) ([]byte, error) {
	in := &counted{r: r}
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("expand: %w", err)
	}
	z.Multistream(false)
	plain, err := io.ReadAll(io.LimitReader(z, maxDigest+1))
	if err != nil {
		return nil, fmt.Errorf("expand: %w", err)
	}
	if len(plain) > maxDigest {
		return nil, fmt.Errorf("expand: more than %d bytes", maxDigest)
	}
	return plain, in.atEnd()
}

var errTrailing = errors.New("expand: bytes follow the end of the compressed stream")

// counted is read byte by byte where gzip wants that, so that it reads no further than its stream.
type counted struct {
	r    io.Reader
	buf  [16 << 10]byte
	a, b int
	err  error
}

func (c *counted) fill() error {
	if c.a == c.b {
		if c.err != nil {
			return c.err
		}
		c.a = 0
		c.b, c.err = c.r.Read(c.buf[:])
		if c.b == 0 {
			if c.err == nil {
				return io.ErrNoProgress
			}
			return c.err
		}
	}
	return nil
}

// Read is of package io.
func (c *counted) Read(p []byte) (int, error) {
	if err := c.fill(); err != nil {
		return 0, err
	}
	n := copy(p, c.buf[c.a:c.b])
	c.a += n
	return n, nil
}

// ReadByte makes flate read no byte that is not its own.
func (c *counted) ReadByte() (byte, error) {
	if err := c.fill(); err != nil {
		return 0, err
	}
	c.a++
	return c.buf[c.a-1], nil
}

func (c *counted) atEnd() error {
	switch err := c.fill(); {
	case err == nil:
		return errTrailing
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}
