package server

import (
	"strings"
	"testing"
	"time"

	"sallyport/internal/awsapi"
	"sallyport/internal/awsapi/probe"
	"sallyport/internal/credential"
	"sallyport/internal/endpoint"
	"sallyport/internal/sigv4"
	"sallyport/internal/store"
)

// operation is the mounted operation of the name.
func (w *testWorld) operation(name string) awsapi.Operation[*endpoint.Call] {
	w.t.Helper()
	for _, s := range w.services() {
		for _, op := range s.operations {
			if op.Name == name {
				return op
			}
		}
	}
	w.t.Fatalf("there is no operation %s", name)
	panic("unreachable")
}

// TestKeyDiesAtOnce: a long-term key is remembered, and refused at the next call once it is inactive or deleted.
func TestKeyDiesAtOnce(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(tx *store.Tx, id string) error{
		"inactive": func(tx *store.Tx, id string) error {
			return credential.SetAccessKeyStatus(tx, id, store.KeyInactive)
		},
		"deleted": credential.DeleteAccessKey,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTestWorld(t)
			op := w.operation("GetCallerIdentity")
			call := func() (int, string) {
				p, err := probe.Minimal(op.Service, op.OperationMeta, w.url)
				if err != nil {
					t.Fatal(err)
				}
				status, _, body := w.send(op.OperationMeta, op.Service, p, w.operator())
				return status, body
			}
			for range 2 { // found, then remembered
				if status, body := call(); status != 200 {
					t.Fatalf("%d %s", status, body)
				}
			}
			w.update(func(tx *store.Tx) error { return end(tx, w.key.AccessKeyID) })
			for range 2 {
				if status, body := call(); status == 200 || !strings.Contains(body, "<Error>") {
					t.Fatalf("the key lives: %d %s", status, body)
				}
			}
			w.clock.Advance(6 * time.Minute) // longer than a key is remembered
			if _, body := call(); !strings.Contains(body, "InvalidClientTokenId") {
				t.Errorf("an ended key is known: %s", body)
			}
		})
	}
}

// TestKeyUse: when a key was used last is written, at most once a minute, and not for those who only know its id.
func TestKeyUse(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	op := w.operation("GetCallerIdentity")
	call := func(secret string) {
		t.Helper()
		p, err := probe.Minimal(op.Service, op.OperationMeta, w.url)
		if err != nil {
			t.Fatal(err)
		}
		w.send(op.OperationMeta, op.Service, p, sigv4.Credentials{AccessKeyID: w.key.AccessKeyID, SecretAccessKey: secret})
	}
	used := func() (at time.Time) {
		t.Helper()
		w.update(func(tx *store.Tx) error {
			k, err := tx.AccessKey(w.key.AccessKeyID)
			at = k.UsedAt
			return err
		})
		return at
	}
	call("guessed")
	if at := used(); !at.IsZero() {
		t.Errorf("the key was used at %v by somebody without its secret", at)
	}
	first := w.clock.Now()
	call(w.key.SecretAccessKey)
	if at := used(); !at.Equal(first) {
		t.Errorf("used at %v, want %v", at, first)
	}
	w.clock.Advance(59 * time.Second)
	call(w.key.SecretAccessKey)
	if at := used(); !at.Equal(first) {
		t.Errorf("written again within a minute, at %v", at)
	}
	w.clock.Advance(time.Second)
	call(w.key.SecretAccessKey)
	if at := used(); !at.Equal(w.clock.Now()) {
		t.Errorf("used at %v, want %v", at, w.clock.Now())
	}
}
