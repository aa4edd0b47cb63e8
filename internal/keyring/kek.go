package keyring

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"sallyport/internal/store"
)

// ErrNoKEK says that a key-encryption key has not the form of one.
var ErrNoKEK = errors.New("the key-encryption key must be 32 random bytes in base64, as `openssl rand -base64 32` writes them")

// ErrWrongKEK says that the database was made with another key-encryption key.
var ErrWrongKEK = errors.New("the key-encryption key does not open this database: start with the key that the database was first started with")

// KEK is a key-encryption key. It never shows its bytes: not even a dump of a struct that holds one follows the pointer.
type KEK struct{ wrap *[keySize]byte }

// NewKEK makes a key-encryption key in the text form that ParseKEK reads, with a newline.
func NewKEK() []byte {
	var b [keySize]byte
	_, _ = rand.Read(b[:])
	return append(base64.StdEncoding.AppendEncode(nil, b[:]), '\n')
}

// ParseKEK reads the text of a key-encryption key: what a file, the environment or a systemd credential holds.
func ParseKEK(text []byte) (KEK, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(b) != keySize {
		return KEK{}, ErrNoKEK
	}
	return KEK{(*[keySize]byte)(must(hkdf.Key(sha256.New, b, nil, "sallyport data keys", keySize)))}, nil
}

// String hides the key, whatever the verb.
func (KEK) String() string { return "key-encryption key" }

// GoString is as String.
func (k KEK) GoString() string { return k.String() }

// CreateFile makes a file with a new key-encryption key that only its owner may read. It never replaces a file.
func CreateFile(path string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("create key-encryption key: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(NewKEK()); err != nil {
		return fmt.Errorf("write key-encryption key: %w", err)
	}
	return f.Sync() // without it, a power loss may leave a database that nothing opens
}

// ReadFile reads a file that CreateFile or a person made. One that others may read is refused.
func ReadFile(path string) (KEK, error) {
	f, err := os.Open(path)
	if err != nil {
		return KEK{}, fmt.Errorf("read key-encryption key: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return KEK{}, fmt.Errorf("read key-encryption key: %w", err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return KEK{}, fmt.Errorf("the key-encryption key in %s can be read by others: run chmod 600 on it", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, 1024))
	if err != nil {
		return KEK{}, fmt.Errorf("read key-encryption key: %w", err)
	}
	return ParseKEK(text)
}

// seal wraps a new data key. All that the row says is bound to it, so that no row can be made from parts of others.
func (k KEK) seal(id [idSize]byte, p Purpose, active time.Time, root []byte) store.DataKey {
	row := store.DataKey{ID: hex.EncodeToString(id[:]), Purpose: string(p), ActiveAt: active}
	row.Wrapped = gcm(k.wrap[:]).Seal(nil, nil, root, wrapAD(row))
	return row
}

// open unwraps a data key.
func (k KEK) open(row store.DataKey) (*Key, error) {
	root, err := gcm(k.wrap[:]).Open(nil, nil, row.Wrapped, wrapAD(row))
	if err != nil {
		return nil, ErrWrongKEK
	}
	var id [idSize]byte
	if n, err := hex.Decode(id[:], []byte(row.ID)); err != nil || n != idSize || len(root) != keySize {
		return nil, fmt.Errorf("data key %q is malformed", row.ID)
	}
	return newKey(id, root, row.ActiveAt), nil
}

func wrapAD(row store.DataKey) []byte {
	return []byte("data_key\x00" + row.ID + "\x00" + row.Purpose + "\x00" + strconv.FormatInt(row.ActiveAt.UnixMicro(), 10))
}
