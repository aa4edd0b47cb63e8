package trailfile

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/bucket"
)

// memory is a bucket whose objects are all in memory.
type memory map[string]kept

type kept struct {
	body []byte
	meta map[string]string
}

func (m memory) Put(context.Context, string, []byte, map[string]string) error { return nil }
func (m memory) Delete(context.Context, string) error                         { return nil }
func (m memory) Get(_ context.Context, key string) (*bucket.Content, error) {
	o, ok := m[key]
	if !ok {
		return nil, bucket.ErrNotFound
	}
	return &bucket.Content{ReadCloser: io.NopCloser(bytes.NewReader(o.body)), Object: bucket.Object{Key: key}, Meta: o.meta}, nil
}

func (m memory) List(_ context.Context, prefix, after string, _ int) (list []bucket.Object, more bool, err error) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if strings.HasPrefix(key, prefix) && key > after {
			list = append(list, bucket.Object{Key: key})
		}
	}
	return list, false, nil
}

// event has the size and the look of one that tells of an assignment.
func event(n int) []byte {
	return fmt.Appendf(nil, `{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE%[1]d:alice","arn":"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/alice","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE%[1]d","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef","accountId":"111122223333","userName":"AWSReservedSSO_Admin_0123456789abcdef"},"attributes":{"creationDate":"2026-11-02T09:00:00Z","mfaAuthenticated":"true"}}},"eventTime":"2026-11-02T09:00:00Z","eventSource":"sso.amazonaws.com","eventName":"CreateAccountAssignment","awsRegion":"eu-test-1","sourceIPAddress":"192.0.2.%[2]d","userAgent":"aws-cli/2.9.19","requestParameters":{"instanceArn":"arn:aws:sso:::instance/ssoins-0123456789abcdef","permissionSetArn":"arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-%016[1]x","principalId":"%032[1]x","targetId":"111122223333"},"responseElements":{"accountAssignmentCreationStatus":{"requestId":"%032[1]x","status":"IN_PROGRESS"}},"requestID":"%032[1]x","eventID":"%032[1]x","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}`, n*2654435761, n%250)
}

// world is an hour with some log files of about 8 MB, signed.
func world(b *testing.B, logs int) (*Check, int64) {
	b.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	public := x509.MarshalPKCS1PublicKey(&key.PublicKey)
	p := Place{Account: "111122223333", Region: "eu-test-1", Trail: "main"}
	m := memory{}
	start := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	size, n := int64(0), 0
	ch, _ := newChain(0, "")
	put := func(key string, plain []byte, meta map[string]string) string {
		body, err := Compress(plain)
		if err != nil {
			b.Fatal(err)
		}
		m[key] = kept{body, meta}
		sum := sha256.Sum256(plain)
		return hex.EncodeToString(sum[:])
	}
	var before *Digest
	var hash, signature string
	for i := range logs {
		end := start.Add(time.Duration(i+1) * time.Hour)
		d := &Digest{StartTime: Time(end.Add(-time.Hour)), EndTime: Time(end), Bucket: "b", Object: p.DigestKey(end), Fingerprint: "f", Stretch: &Stretch{From: ch.seq, FromHash: ch.String(), Whole: true}}
		var log Log
		for log.Len() < 8<<20 {
			e := event(n)
			log.Add(e)
			ch.add(e)
			n++
		}
		l := LogFile{Bucket: "b", Object: p.LogKey(end, fmt.Sprint(i))}
		l.Hash = put(l.Object, log.Plain(), nil)
		size += int64(log.Len())
		d.LogFiles, d.Stretch.To, d.Stretch.ToHash = []LogFile{l}, ch.seq, ch.String()
		if before != nil {
			d.PreviousBucket, d.PreviousObject, d.PreviousHash, d.PreviousSignature = &before.Bucket, &before.Object, new(hash), new(signature)
		}
		plain, err := d.Encode()
		if err != nil {
			b.Fatal(err)
		}
		sum := sha256.Sum256(d.Signed(plain))
		s, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
		if err != nil {
			b.Fatal(err)
		}
		signature = hex.EncodeToString(s)
		hash = put(d.Object, plain, map[string]string{MetaSignature: signature, MetaAlgorithm: SignatureAlgorithm})
		before = d
	}
	return &Check{Bucket: m, Name: "b", Place: p, Keys: []Key{{"f", public}}}, size
}

// BenchmarkVerify: bytes are those of logs before they were compressed; one core.
func BenchmarkVerify(b *testing.B) {
	c, size := world(b, 3)
	b.SetBytes(size)
	for b.Loop() {
		r, err := c.Run(context.Background())
		if err != nil || len(r.Faults) > 0 {
			b.Fatal(r.Faults, err)
		}
	}
}
