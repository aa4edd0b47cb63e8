package server

import (
	"strings"
	"testing"
	"time"

	"sallyport/internal/awsapi"
	"sallyport/internal/awsapi/probe"
	"sallyport/internal/credential"
	"sallyport/internal/endpoint"
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
