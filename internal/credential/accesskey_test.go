package credential

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

func TestAccessKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var id string
	var secret Secret
	update := func(fn func(*store.Tx) error) {
		t.Helper()
		if err := w.db.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	look := func(id string) (c Caller, s Secret, err error) {
		_ = w.db.View(t.Context(), func(tx *store.Tx) error { c, s, err = LookUp(tx, w.keys, id); return nil })
		return c, s, err
	}
	update(func(tx *store.Tx) (err error) {
		u := store.IAMUser{ID: "AIDAQ3EGRSAVEXAMPLE23", Account: "123456789012", Path: "/ops/", Name: "Operator", CreatedAt: tx.Now()}
		if err := tx.InsertIAMUser(u); err != nil {
			return err
		}
		id, secret, err = CreateAccessKey(tx, w.keys, u)
		return err
	})
	want := Caller{
		Kind: IAMUser, Account: "123456789012", ARN: "arn:aws:iam::123456789012:user/ops/Operator",
		PrincipalID: "AIDAQ3EGRSAVEXAMPLE23", AccessKeyID: id, UserName: "Operator", Issued: w.clock.Now(),
	}
	got, s, err := look(id)
	if err != nil || s != secret || len(secret) != 40 || !strings.HasPrefix(id, "AKIA") {
		t.Fatalf("look up %s: %v", id, err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	_ = w.db.View(t.Context(), func(tx *store.Tx) error {
		if k, err := tx.AccessKey(id); err != nil || strings.Contains(string(k.Secret), string(secret)) {
			t.Errorf("stored in the clear, or: %v", err)
		}
		return nil
	})
	update(func(tx *store.Tx) error { return SetAccessKeyStatus(tx, id, store.KeyInactive) })
	if _, _, err := look(id); fault.As(err) == nil || fault.As(err).Reason != fault.AuthUnknownKey {
		t.Errorf("inactive: %v", err)
	}
	update(func(tx *store.Tx) error { return DeleteAccessKey(tx, id) })
	for _, id := range []string{id, "", "ASIADOZY2NDIYAAAAAAA", strings.ToLower(id)} {
		if _, _, err := look(id); fault.As(err) == nil || fault.As(err).Reason != fault.AuthUnknownKey {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestBearer(t *testing.T) {
	t.Parallel()
	a, hash := NewBearer(AccessToken)
	b, _ := NewBearer(AccessToken)
	if !strings.HasPrefix(string(a), "aoa") || len(a) != 46 || a == b || hash != HashBearer(string(a)) || len(hash) != 64 {
		t.Errorf("token of %d characters, hash %s", len(a), hash)
	}
	x, hx := BearerFrom(RefreshToken, []byte("same"))
	y, hy := BearerFrom(RefreshToken, []byte("same"))
	if x != y || hx != hy || !strings.HasPrefix(string(x), "aor") {
		t.Error("one random part makes two tokens")
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	t.Parallel()
	c := Credentials{AccessKeyID: "ASIA", SecretAccessKey: "hush-hush", SessionToken: "hush-hush"}
	j, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "c", c, "s", c.SecretAccessKey)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "c", c, "s", c.SecretAccessKey)
	if all := out.String() + string(j) + fmt.Sprintf("%v %+v %#v %s %q", c, c, c, c.SecretAccessKey, c.SecretAccessKey); strings.Contains(all, "hush") {
		t.Error(all)
	}
}
