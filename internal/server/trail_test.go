package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"sallyport/internal/bucket"
	"sallyport/internal/sigv4"
	"sallyport/internal/store/storetest"
)

// TestObjects: what S3's readers ask for, who gets it, and what S3 says to the others.
func TestObjects(t *testing.T) {
	t.Parallel()
	s := newStory(t, storetest.Open)
	if err := s.begin(discard{}); err != nil {
		t.Fatal(err)
	}
	who := s.callers["operator"]
	if _, err := s.call(t.Context(), who, "sallyport", "CreateTrailBucket", `{"Name": "audit-logs"}`); err != nil {
		t.Fatal(err)
	}
	b, err := bucket.Make(s.trails.Buckets.Dir("audit-logs"))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, key := range []string{"a/1.gz", "a/2.gz", "b/c/3.gz", "d e+é.gz"} {
		if err := b.Put(t.Context(), key, []byte("body of "+key), map[string]string{"signature": "ab12"}); err != nil {
			t.Fatal(err)
		}
	}
	send := func(keys signer, method, path string, change func(*http.Request)) (int, http.Header, string) {
		return s.s3(t, keys, method, path, change)
	}
	op := who.keys
	for _, c := range s.objectCases() {
		status, _, body := send(c.keys, c.method, c.path, nil)
		if status != c.status || !strings.Contains(body, c.want) || c.not != "" && strings.Contains(body, c.not) {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
	}
	if _, h, _ := send(op, "GET", "/s3/audit-logs/a/1.gz", nil); h["X-Amz-Meta-Signature"][0] != "ab12" {
		t.Errorf("metadata: %v", h)
	}
	status, h, body := send(op, "GET", "/s3/audit-logs/a/1.gz", func(r *http.Request) { r.Header.Set("Range", "bytes=5-6") })
	if status != http.StatusPartialContent || body != "of" {
		t.Errorf("range: %d %q %v", status, body, h)
	}
	if status, _, body := send(op, "GET", "/s3/audit-logs/a/1.gz", func(r *http.Request) { r.URL.Path = "/s3/audit-logs/a/2.gz" }); status != 403 {
		t.Errorf("another object with that signature: %d %s", status, body)
	}
	if status, _, _ := send(op, "GET", "/s3/audit-logs/a/1.gz", func(r *http.Request) { r.Header.Del("X-Amz-Content-Sha256") }); status != 403 {
		t.Errorf("without the hash of the payload: %d", status)
	}
}

// objectCase is a request for an object, or for what is known of a bucket.
type objectCase struct {
	name, method, path string
	keys               signer
	status             int
	want               string
	not                string
}

func (s *story) objectCases() []objectCase {
	op := s.callers["operator"].keys
	return []objectCase{
		{"location", "GET", "/s3/audit-logs?location", op, 200, `LocationConstraint`, ""},
		{"list", "GET", "/s3/audit-logs?prefix=&max-keys=2", op, 200, `<IsTruncated>true</IsTruncated><Contents><Key>a/1.gz</Key>`, "b/c"},
		{"list from", "GET", "/s3/audit-logs?marker=a%2F2.gz", op, 200, `<Key>b/c/3.gz</Key>`, "a/1"},
		{"folders", "GET", "/s3/audit-logs?delimiter=%2F", op, 200, `<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes><CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes>`, "1.gz"},
		{"in URL's form", "GET", "/s3/audit-logs?encoding-type=url", op, 200, `<Key>d+e%2B%C3%A9.gz</Key>`, ""},
		{"version 2", "GET", "/s3/audit-logs?list-type=2&max-keys=1", op, 200, `<NextContinuationToken>612f312e677a</NextContinuationToken><KeyCount>1</KeyCount>`, ""},
		{"version 2, on", "GET", "/s3/audit-logs?list-type=2&continuation-token=612f312e677a", op, 200, `a/2.gz`, "a/1.gz"},
		{"object", "GET", "/s3/audit-logs/a/1.gz", op, 200, "body of a/1.gz", ""},
		{"without the path", "GET", "/audit-logs/a/1.gz", op, 200, "body of a/1.gz", ""},
		{"odd key", "GET", "/s3/audit-logs/d%20e%2B%C3%A9.gz", op, 200, "body of d e+é.gz", ""},
		{"head", "HEAD", "/s3/audit-logs/a/1.gz", op, 200, "", ""},
		{"head of bucket", "HEAD", "/s3/audit-logs", op, 200, "", ""},
		{"no key", "GET", "/s3/audit-logs/a/9.gz", op, 404, "<Code>NoSuchKey</Code>", ""},
		{"out of the bucket", "GET", "/s3/audit-logs/a/..%2F..%2F..%2Fkey", op, 404, "<Code>NoSuchKey</Code>", ""},
		{"beside the object", "GET", "/s3/audit-logs/a/1.gz.meta", op, 404, "<Code>NoSuchKey</Code>", ""},
		{"no bucket", "GET", "/s3/other-logs?location", op, 404, "<Code>NoSuchBucket</Code>", ""},
		{"all buckets", "GET", "/s3/", op, 501, "<Code>NotImplemented</Code>", ""},
		{"write", "PUT", "/s3/audit-logs/a/1.gz", op, 405, "<Code>MethodNotAllowed</Code>", ""},
		{"delete", "DELETE", "/s3/audit-logs/a/1.gz", op, 405, "<Code>MethodNotAllowed</Code>", ""},
		{"unsigned", "GET", "/s3/audit-logs/a/1.gz", signer{}, 403, "<Code>AccessDenied</Code>", "body"},
		{"unknown key", "GET", "/s3/audit-logs/a/1.gz", s.callers["forger"].keys, 403, "<Code>InvalidAccessKeyId</Code>", "body"},
		{"wrong secret", "GET", "/s3/audit-logs/a/1.gz", signer{AccessKeyID: op.AccessKeyID, SecretAccessKey: "x"}, 403, "<Code>SignatureDoesNotMatch</Code>", "body"},
		{"another account's administrator", "GET", "/s3/audit-logs/a/1.gz", s.callers["elsewhere"].keys, 403, "<Code>AccessDenied</Code>", "body"},
	}
}

// discard is a binder that forgets.
type discard struct{}

func (discard) Setenv(string, string) {}

// s3 sends a request that is signed as for S3, and changed after.
func (s *story) s3(t *testing.T, keys signer, method, path string, change func(*http.Request)) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, s.web.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if keys.AccessKeyID != "" {
		if err := sigv4.Sign(r, nil, keys, "us-east-1", sigv4.S3, s.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if change != nil {
		change(r)
	}
	res, err := s.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(body)
}

// TestObjectsByPolicy: a role reads what its permission set allows, of one prefix, and nothing beside it; a Deny wins.
func TestObjectsByPolicy(t *testing.T) {
	t.Parallel()
	s := newStory(t, storetest.Open)
	if err := s.begin(discard{}); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	call := func(service, operation, input string) any {
		t.Helper()
		out, err := s.call(ctx, s.callers["operator"], service, operation, input)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	call("sallyport", "CreateTrailBucket", `{"Name": "audit-logs"}`)
	b, err := bucket.Make(s.trails.Buckets.Dir("audit-logs"))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, key := range []string{"ours/1.gz", "ours/secret/2.gz", "theirs/3.gz"} {
		if err := b.Put(ctx, key, []byte("body of "+key), nil); err != nil {
			t.Fatal(err)
		}
	}
	made := call("sso-admin", "CreatePermissionSet", `{"InstanceArn": "`+s.names["instance"]+`", "Name": "Reader"}`)
	set := made.(map[string]any)["PermissionSet"].(map[string]any)["PermissionSetArn"].(string)
	policy, err := json.Marshal(`{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::audit-logs/ours/*"}, {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::audit-logs/ours/secret/*"},
		{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::audit-logs", "Condition": {"StringLike": {"s3:prefix": "ours/*"}}}]}`)
	if err != nil {
		t.Fatal(err)
	}
	call("sso-admin", "PutInlinePolicyToPermissionSet", `{"InstanceArn": "`+s.names["instance"]+`", "PermissionSetArn": "`+set+`", "InlinePolicy": `+string(policy)+`}`)
	call("sso-admin", "CreateAccountAssignment", `{"InstanceArn": "`+s.names["instance"]+`", "TargetId": "`+s.names["management"]+`", "TargetType": "AWS_ACCOUNT", "PermissionSetArn": "`+set+`", "PrincipalType": "USER", "PrincipalId": "`+s.names["alice"]+`"}`)
	s.clock.Advance(time.Millisecond)
	if err := errors.Join(s.worker.Drain(ctx), s.signIn(ctx, "alice", "cli"), s.credentials(ctx, "cli", s.names["management"], "Reader", "reader")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"/s3/audit-logs/ours/1.gz": 200, "/s3/audit-logs/ours/9.gz": 404, "/s3/audit-logs/ours/secret/2.gz": 403, "/s3/audit-logs/theirs/3.gz": 403,
		"/s3/audit-logs?list-type=2&prefix=ours%2F": 200, "/s3/audit-logs?list-type=2&prefix=theirs%2F": 403, "/s3/audit-logs?list-type=2": 403, "/s3/audit-logs?location": 403, "/s3/other-logs/ours/1.gz": 403,
	} {
		status, _, body := s.s3(t, s.callers["reader"].keys, "GET", path, nil)
		if status != want || want == 403 && (!strings.Contains(body, "<Code>AccessDenied</Code>") || strings.Contains(body, "body of")) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}
