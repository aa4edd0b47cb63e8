package keyring

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"sallyport/internal/clock/clocktest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

func openDB(tb testing.TB) (*store.DB, *clocktest.Clock) {
	tb.Helper()
	c := clocktest.At(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC))
	return storetest.Open(tb, c), c
}

func openRing(tb testing.TB, db *store.DB, k KEK) *Ring {
	tb.Helper()
	r, err := Open(tb.Context(), db, k)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func TestSealedRecordOpensOnlyInItsPlace(t *testing.T) {
	t.Parallel()
	db, _ := openDB(t)
	r := openRing(t, db, newKEK(t))
	sealed := r.SealRecord("access_key", "secret", "AKIA1", []byte("hush"))
	if bytes.Contains(sealed, []byte("hush")) {
		t.Fatal("the sealed record shows its secret")
	}
	for _, c := range []struct {
		table, column, row string
		ok                 bool
	}{
		{"access_key", "secret", "AKIA1", true},
		{"access_key", "secret", "AKIA2", false},
		{"access_key", "other", "AKIA1", false},
		{"factor", "secret", "AKIA1", false},
	} {
		plain, err := r.OpenRecord(c.table, c.column, c.row, sealed)
		if c.ok && (err != nil || string(plain) != "hush") || !c.ok && !errors.Is(err, ErrSealed) {
			t.Errorf("open as %s.%s of %s: %q, %v", c.table, c.column, c.row, plain, err)
		}
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := r.OpenRecord("access_key", "secret", "AKIA1", bad); !errors.Is(err, ErrSealed) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		if _, err := r.OpenRecord("access_key", "secret", "AKIA1", sealed[:i]); !errors.Is(err, ErrSealed) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
}

func TestBlobHasOneSpelling(t *testing.T) {
	t.Parallel()
	db, _ := openDB(t)
	r := openRing(t, db, newKEK(t))
	blob := r.SealBlob("client registration", "https://here", []byte("state"))
	if plain, err := r.OpenBlob("client registration", "https://here", blob); err != nil || string(plain) != "state" {
		t.Fatalf("open: %q, %v", plain, err)
	}
	raw, _ := base64.RawURLEncoding.DecodeString(blob)
	for name, bad := range map[string]string{
		"empty": "", "padded": base64.URLEncoding.EncodeToString(raw) + "=", "line break": blob[:8] + "\n" + blob[8:],
		"standard alphabet": base64.RawStdEncoding.EncodeToString(raw) + "+", "huge": strings.Repeat("A", maxBlob+1), "short": "AQ",
	} {
		if _, err := r.OpenBlob("client registration", "https://here", bad); !errors.Is(err, ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.OpenBlob("device code", "https://here", blob); !errors.Is(err, ErrSealed) {
		t.Errorf("other label: %v", err)
	}
	if _, err := r.OpenBlob("client registration", "https://there", blob); !errors.Is(err, ErrSealed) {
		t.Errorf("other associated data: %v", err)
	}
}

// Base64 of a length that is no multiple of three has bits to spare in its last character: changing those is refused too.
func TestDecodeIsCanonical(t *testing.T) {
	t.Parallel()
	for s, ok := range map[string]bool{"AQ": true, "AR": false, "AQI": true, "AQJ": false, "A": false, "AQ\r": false, "AQ==": false, "": false} {
		if _, got := Decode(s, 10); got != ok {
			t.Errorf("Decode(%q) = %v", s, got)
		}
	}
}

func TestRotationIsOnline(t *testing.T) {
	t.Parallel()
	db, c := openDB(t)
	kek := newKEK(t)
	a, b := openRing(t, db, kek), openRing(t, db, kek)
	born := c.Now()
	before := a.SealRecord("t", "c", "r", []byte("old"))
	mac := a.MAC("refresh", born, "family", "1")
	c.Advance(time.Hour)
	id, err := a.Rotate(t.Context(), Records)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Rotate(t.Context(), Tokens); err != nil {
		t.Fatal(err)
	}
	if a.Current(Records).ID() == id {
		t.Error("a new key is used before other nodes can have it")
	}
	if err := b.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Advance(lead)
	if a.Current(Records).ID() != id || b.Current(Records).ID() != id {
		t.Error("a new key is not used when its time has come")
	}
	for _, sealed := range [][]byte{before, a.SealRecord("t", "c", "r", []byte("new"))} {
		if _, err := b.OpenRecord("t", "c", "r", sealed); err != nil {
			t.Errorf("open on the other node: %v", err)
		}
	}
	_, k, err := a.Open(Records, "t.c", "r", before)
	if err != nil || !k.RetiredAt().Equal(c.Now()) {
		t.Errorf("old key: retired at %v, %v", k.RetiredAt(), err)
	}
	if !bytes.Equal(mac, b.MAC("refresh", born, "family", "1")) {
		t.Error("rotation changed the MAC of an earlier time")
	}
	if bytes.Equal(mac, b.MAC("refresh", c.Now(), "family", "1")) {
		t.Error("rotation changed nothing")
	}
}

func TestMACPartsAreKeptApart(t *testing.T) {
	t.Parallel()
	k := newKey([idSize]byte{1}, make([]byte, keySize), time.Time{})
	seen := map[string]string{}
	for _, parts := range [][]string{{}, {""}, {"ab", "c"}, {"a", "bc"}, {"abc"}, {"abc", ""}, {"", "abc"}} {
		m := string(k.MAC("l", parts...))
		if other, ok := seen[m]; ok {
			t.Errorf("%q and %s have one MAC", parts, other)
		}
		seen[m] = fmt.Sprintf("%q", parts)
	}
	if bytes.Equal(k.MAC("l"), k.MAC("m")) || bytes.Equal(k.Derive("l"), k.Derive("m")) {
		t.Error("the label does not count")
	}
}

func TestExpandIsHKDF(t *testing.T) {
	t.Parallel()
	root, salt := []byte("root"), strings.Repeat("s", saltSize)
	prk := must(hkdf.Extract(sha256.New, root, nil))
	want := must(hkdf.Key(sha256.New, root, nil, "seal\x00l\x00"+salt, keySize))
	for range 2 { // the second time from the kept state
		if got := newPRF(prk).expand("seal\x00", "l", "\x00", salt); !bytes.Equal(got, want) {
			t.Errorf("%x, not %x", got, want)
		}
	}
}

func TestKeysAreNeverPrinted(t *testing.T) {
	t.Parallel()
	text := NewKEK()
	kek, err := ParseKEK(text)
	if err != nil {
		t.Fatal(err)
	}
	root := bytes.Repeat([]byte{0xAB}, keySize)
	key := newKey([idSize]byte{}, root, time.Time{})
	holder := struct {
		K KEK
		D *Key
		r Ring
	}{K: kek, D: key, r: Ring{kek: kek}}
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "kek", kek, "key", key, "holder", fmt.Sprint(&holder))
	j, err := json.Marshal(map[string]any{"kek": kek, "key": key})
	if err != nil {
		t.Fatal(err)
	}
	all := out.String() + string(j) + fmt.Sprintf("%v %+v %#v %s %x %v %+v %#v %+v", kek, kek, kek, kek, kek, key, key, key, &holder)
	for _, secret := range []string{
		fmt.Sprintf("%x", *kek.wrap), fmt.Sprint(*kek.wrap)[1:20], strings.TrimSpace(string(text)),
		fmt.Sprintf("%x", root), fmt.Sprint(root)[1:20],
	} {
		if strings.Contains(all, secret) {
			t.Errorf("a key is printed: %s", all)
		}
	}
}

func TestRunEnds(t *testing.T) {
	t.Parallel()
	db, _ := openDB(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	openRing(t, db, newKEK(t)).Run(ctx, slog.New(slog.DiscardHandler))
}

func FuzzOpenBlob(f *testing.F) {
	db, _ := openDB(f)
	r := openRing(f, db, newKEK(f))
	good := r.SealBlob("l", "ad", []byte("state"))
	f.Add(good)
	f.Add(good[:60])
	f.Add("")
	f.Fuzz(func(t *testing.T, blob string) {
		if _, err := r.OpenBlob("l", "ad", blob); err == nil && blob != good {
			t.Errorf("a blob that was never sealed opens: %q", blob)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	k := newKey([idSize]byte{1}, make([]byte, keySize), time.Time{})
	plain := make([]byte, 300)
	for b.Loop() {
		k.Seal("l", "ad", plain)
	}
}
