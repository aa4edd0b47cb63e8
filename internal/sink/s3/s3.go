// Package s3 puts batches of events into a bucket of S3 or of a server that speaks its protocol: one gzip object of JSON
// lines for each batch.
//
// An object's name is made of the day of its first event and the numbers of its first and last:
//
//	<prefix>/2026/11/28/00000000000000000101-00000000000000000250.jsonl.gz
//
// Names in their order are events in theirs. A batch that is sent again under the same bounds overwrites its object with the same
// bytes; one that has grown meanwhile makes an object that overlaps, whose events are known by their numbers. The bounds are both
// in the name because a request that was given up may still arrive: under the first number alone it could replace a longer
// object by a shorter one, whose end nobody would send again.
//
// Safe means that the bucket has answered the PUT of every object with 200, which S3 does when the object is stored.
//
// The protocol needed is one request, so that it is written here, on the SDK's signer and credentials, rather than linked
// with service/s3.
package s3

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"path"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"sallyport/internal/audit"
	"sallyport/internal/audit/format"
	"sallyport/internal/clock"
	"sallyport/internal/sink"
	"sallyport/internal/store"
)

// maxObject is how many bytes of lines an object has at most before it is compressed, but for one that a single event passes.
const maxObject = 16 << 20

// timeout bounds one request.
const timeout = time.Minute

type bucket struct {
	name        string
	most        int // bytes of lines in an object
	format      format.Formatter
	base        string // of objects, with a slash at the end
	prefix      string
	region      string
	kmsKey      string
	credentials aws.CredentialsProvider
	signer      *v4.Signer
	client      *http.Client
	clock       clock.Clock
}

// Name is the sink's name.
func (b *bucket) Name() string { return b.name }

// Write puts the batch, in as many objects as its size asks for.
func (b *bucket) Write(ctx context.Context, batch []store.SealedEvent) error {
	var refused sink.Refusals
	messages := sink.Encode(b.format, batch, 0, &refused)
	for len(messages) > 0 {
		n, size := 0, 0
		for n < len(messages) && (n == 0 || size+len(messages[n].Body) <= b.most) {
			size += len(messages[n].Body) + 1
			n++
		}
		body, err := compress(messages[:n])
		if err != nil {
			return fmt.Errorf("compress events: %w", err)
		}
		if err := b.put(ctx, b.key(messages[:n]), body); err != nil {
			return err
		}
		messages = messages[n:]
	}
	return refused.Err()
}

// Close closes idle connections.
func (b *bucket) Close() error {
	b.client.CloseIdleConnections()
	return nil
}

func (b *bucket) key(messages []sink.Message) string {
	first, last := messages[0].Event, messages[len(messages)-1].Event
	return path.Join(b.prefix, first.At.UTC().Format("2006/01/02"), fmt.Sprintf("%020d-%020d.jsonl.gz", first.Seq, last.Seq))
}

// compress gives the same bytes for the same events: the header has no time.
func compress(messages []sink.Message) ([]byte, error) {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	for _, m := range messages {
		if _, err := w.Write(append(m.Body, '\n')); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// put stores an object. The checksum is for buckets with Object Lock, which want one, and against what happens on the way.
func (b *bucket) put(ctx context.Context, key string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, b.base+key, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	sum := sha256.Sum256(body)
	r.Header.Set("Content-Type", "application/gzip")
	r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	r.Header.Set("X-Amz-Checksum-Sha256", base64.StdEncoding.EncodeToString(sum[:]))
	if b.kmsKey != "" {
		r.Header.Set("X-Amz-Server-Side-Encryption", "aws:kms")
		r.Header.Set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", b.kmsKey)
	}
	c, err := b.credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("find credentials for the bucket: %w", err)
	}
	if err := b.signer.SignHTTP(ctx, c, r, hex.EncodeToString(sum[:]), "s3", b.region, b.clock.Now()); err != nil {
		return fmt.Errorf("sign request: %w", err)
	}
	res, err := b.client.Do(r)
	if err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return b.refusal(key, res)
	}
	return nil
}

// refusal is the error that an answer tells of.
func (b *bucket) refusal(key string, res *http.Response) error {
	const most = 64 << 10
	var e struct{ Code, Message, Region string }
	body, _ := io.ReadAll(io.LimitReader(res.Body, most)) // what can't be read is told by the status
	if xml.Unmarshal(body, &e) != nil || e.Code == "" {
		return fmt.Errorf("put %s: the bucket answered %s", key, res.Status)
	}
	if e.Region != "" && e.Region != b.region {
		e.Message += " (its region is " + e.Region + ")"
	}
	return fmt.Errorf("put %s: %s: %s", key, e.Code, e.Message)
}

var _ audit.Sink = (*bucket)(nil)
