package login_test

import (
	"strings"
	"testing"

	"sallyport/internal/login"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

func TestHasher(t *testing.T) {
	t.Parallel()
	h, ctx := login.NewHasher(), t.Context()
	a, err := h.Hash(ctx, password)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(a, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash is %s", a)
	}
	for _, c := range []struct {
		encoded, password string
		right             bool
	}{{a, password, true}, {a, password + " ", false}, {a, "", false}, {"", password, false}, {"", "", false}} {
		if right, err := h.Verify(ctx, "", c.encoded, c.password); err != nil || right != c.right {
			t.Errorf("Verify(%q, %q) = %v, %v", c.encoded, c.password, right, err)
		}
	}
	if n := h.Hashes(); n != 6 {
		t.Errorf("%d hashes were counted, want 6", n)
	}
	for _, bad := range []string{
		"x", "$argon2i$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA", "$argon2id$v=18$m=8,t=1,p=1$c2FsdA$aGFzaA",
		"$argon2id$v=19$m=8$c2FsdA$aGFzaA", "$argon2id$v=19$m=8,t=1,p=1$c2F=$aGFzaA", "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$!",
	} {
		if _, err := h.Verify(ctx, "", bad, password); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

// TestHashIsRaised: a hash of another cost is replaced when its password is next given.
func TestHashIsRaised(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phc, err := login.NewHasher().Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	w.update(func(tx *store.Tx) error { return w.SetPassword(tx, w.user.ID, phc, false) })
	for range 2 {
		w.expect(w.give(w.claim("alice", here), password, here), login.Done, false)
	}
	w.update(func(tx *store.Tx) error {
		p, err := tx.Password(w.user.ID)
		if strings.Contains(p.PHC, "m=19456") {
			t.Error("the hash is at its old cost")
		}
		return err
	})
}

func TestPasswordRules(t *testing.T) {
	t.Parallel()
	for p, good := range map[string]bool{
		"Abcdef1-": true, "Abcde1-": false, "Äbcdef1-": true, "abcdef1-": false, "ABCDEF1-": false, "Abcdefg-": false, "Abcdefg1": false,
		"Abc 1 def": true, "A1-" + strings.Repeat("x", 61): true, "A1-" + strings.Repeat("x", 62): false, "": false,
	} {
		if problem := login.Problem(setting.Defaults(), "alice", p); (problem == "") != good {
			t.Errorf("Problem(%q) = %q", p, problem)
		}
	}
	for range 100 {
		if p := login.NewPassword(); login.Problem(setting.Defaults(), "alice", p) != "" {
			t.Errorf("a random password breaks the rules: %s", p)
		}
	}
}
