package keyring

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sallyport/internal/store"
)

func newKEK(tb testing.TB) KEK {
	tb.Helper()
	k, err := ParseKEK(NewKEK())
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func TestWrongOrMissingKEK(t *testing.T) {
	t.Parallel()
	db, _ := openDB(t)
	if _, err := Open(t.Context(), db, KEK{}); !errors.Is(err, ErrNoKEK) {
		t.Errorf("missing: %v", err)
	}
	kek := newKEK(t)
	id := openRing(t, db, kek).Current(Records).ID()
	if _, err := Open(t.Context(), db, newKEK(t)); !errors.Is(err, ErrWrongKEK) {
		t.Errorf("wrong: %v", err)
	}
	if got := openRing(t, db, kek).Current(Records).ID(); got != id {
		t.Errorf("the right key found %s, not %s", got, id)
	}
	for _, text := range []string{"", "\n", "c2hvcnQ=", strings.Repeat("A", 44), "not base64!", string(NewKEK()) + string(NewKEK())} {
		if _, err := ParseKEK([]byte(text)); !errors.Is(err, ErrNoKEK) {
			t.Errorf("ParseKEK(%q): %v", text, err)
		}
	}
}

// A row of data_key says when its key becomes active and what it is for. Nobody who can write rows can change that.
func TestDataKeyRowsCannotBeRecombined(t *testing.T) {
	t.Parallel()
	kek := newKEK(t)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	row := kek.seal([idSize]byte{7}, Records, at, make([]byte, keySize))
	for name, change := range map[string]func(*store.DataKey){
		"id":      func(k *store.DataKey) { k.ID = "0000000000000000" },
		"purpose": func(k *store.DataKey) { k.Purpose = string(Credentials) },
		"time":    func(k *store.DataKey) { k.ActiveAt = at.Add(time.Hour) },
		"bytes":   func(k *store.DataKey) { k.Wrapped = append(bytes.Clone(k.Wrapped), 0) },
		"nothing": func(k *store.DataKey) { k.Wrapped = nil },
	} {
		bad := row
		change(&bad)
		if _, err := kek.open(bad); !errors.Is(err, ErrWrongKEK) {
			t.Errorf("%s changed: %v", name, err)
		}
	}
	if _, err := kek.open(row); err != nil {
		t.Error(err)
	}
}

func TestKEKFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "kek")
	if err := CreateFile(path); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(path); err != nil {
		t.Error(err)
	}
	if err := CreateFile(path); !errors.Is(err, os.ErrExist) {
		t.Errorf("a key was replaced: %v", err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(path); err == nil {
		t.Error("a key that a group can read was taken")
	}
}
