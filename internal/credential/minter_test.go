package credential

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/arn"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/fault"
	"sallyport/internal/keyring"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// world is a database with its keys and a minter.
type world struct {
	db    *store.DB
	clock *clocktest.Clock
	keys  *keyring.Ring
	*Minter
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{clock: clocktest.At(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC))}
	w.db = storetest.Open(tb, w.clock)
	kek, err := keyring.ParseKEK(keyring.NewKEK())
	if err != nil {
		tb.Fatal(err)
	}
	if w.keys, err = keyring.Open(tb.Context(), w.db, kek); err != nil {
		tb.Fatal(err)
	}
	w.Minter = w.minter(tb)
	return w
}

func (w *world) minter(tb testing.TB) *Minter {
	tb.Helper()
	m, err := NewMinter(tb.Context(), w.db, w.keys)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func (w *world) grant() RoleGrant {
	return RoleGrant{
		RoleARN:     "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Audit_0123456789abcdef",
		RoleID:      "AROAQ3EGRSAVEXAMPLE23",
		SessionName: "alice", UserName: "Alice",
		UserID:        "9067729b3d-f987ac4d-a175-44f0-a528-6d23c5d2ec4d",
		SessionID:     "0c9a8a5e-6f2a-4b3c-9d1e-2f3a4b5c6d7e",
		ParentID:      "11111111-6f2a-4b3c-9d1e-2f3a4b5c6d7e",
		PermissionSet: "arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef",
		Issued:        w.clock.Now(), Duration: time.Hour,
	}
}

func (w *world) mint(tb testing.TB, g RoleGrant) Credentials {
	tb.Helper()
	c, err := w.Role(g)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// reason opens credentials and tells why they were refused; empty: they were not.
func (w *world) reason(token, id string) string {
	_, _, err := w.Open(token, id, w.clock.Now())
	if err == nil {
		return ""
	}
	return fault.As(err).Reason
}

func TestRoleSessionOpens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.grant()
	g.MFATime, g.CutsSeen = w.clock.Now().Add(-time.Minute), 7
	g.SourceIdentity, g.ViaKey = "alice@example.com", "AKIAQ3EGRSAVEXAMPLE2"
	g.Tags = map[string]string{"team": "blue", "cost": ""}
	g.SessionPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	c := w.mint(t, g)
	want := Caller{
		Kind: RoleSession, Account: "123456789012",
		ARN:         "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Audit_0123456789abcdef/alice",
		PrincipalID: "AROAQ3EGRSAVEXAMPLE23:alice", AccessKeyID: c.AccessKeyID, UserName: "Alice",
		RoleARN: g.RoleARN, RoleName: "AWSReservedSSO_Audit_0123456789abcdef", RoleID: g.RoleID, SessionName: "alice",
		UserID: g.UserID, SessionID: g.SessionID, ParentID: g.ParentID, PermissionSet: g.PermissionSet, ViaKey: g.ViaKey,
		CutsSeen: 7, Issued: g.Issued, Expires: g.Issued.Add(time.Hour), MFATime: g.MFATime,
		SourceIdentity: g.SourceIdentity, Tags: g.Tags, SessionPolicy: g.SessionPolicy, Correlation: c.Correlation,
	}
	if other := w.mint(t, g).Correlation; c.Correlation == "" || other == c.Correlation {
		t.Errorf("two sessions are called %q and %q", c.Correlation, other)
	}
	for _, m := range []*Minter{w.Minter, w.Minter, w.minter(t)} { // opened, from the cache, by another node
		got, secret, err := m.Open(string(c.SessionToken), c.AccessKeyID, w.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		if secret != c.SecretAccessKey {
			t.Error("the secret is another one")
		}
	}
	if account, ok := arn.AccountOfAccessKey(c.AccessKeyID); !ok || account != "123456789012" || !strings.HasPrefix(c.AccessKeyID, "ASIA") {
		t.Errorf("access key id %s", c.AccessKeyID)
	}
	if len(c.SecretAccessKey) != 40 || !c.Expiration.Equal(want.Expires) {
		t.Errorf("secret of %d characters, expires %v", len(c.SecretAccessKey), c.Expiration)
	}
}

func TestChangedTokenIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.mint(t, w.grant())
	token := string(c.SessionToken)
	if got := w.reason(token, c.AccessKeyID); got != "" {
		t.Fatal(got) // from now on the good token is in the cache
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(raw) * 8 {
		raw[i/8] ^= 1 << (i % 8)
		if got := w.reason(base64.RawURLEncoding.EncodeToString(raw), c.AccessKeyID); got != fault.AuthUnknownKey {
			t.Fatalf("bit %d changed: %q", i, got)
		}
		raw[i/8] ^= 1 << (i % 8)
	}
	for i := range token {
		if got := w.reason(token[:i], c.AccessKeyID); got != fault.AuthUnknownKey {
			t.Fatalf("cut at %d: %q", i, got)
		}
	}
	for name, bad := range map[string]string{
		"padded": token + "=", "line break": token[:40] + "\r\n" + token[40:], "space": " " + token,
		"too long": strings.Repeat("A", maxToken+1), "AWS's": "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLWVhc3QtMSJHMEUCIQ",
	} {
		if got := w.reason(bad, c.AccessKeyID); got != fault.AuthUnknownKey {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestTokenBelongsToItsKeyID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.mint(t, w.grant()), w.mint(t, w.grant())
	for range 2 { // before and after the tokens are in the cache
		for name, id := range map[string]string{
			"another": b.AccessKeyID, "none": "", "long-term": "AKIA" + a.AccessKeyID[4:], "lower case": strings.ToLower(a.AccessKeyID),
		} {
			if got := w.reason(string(a.SessionToken), id); got != fault.AuthUnknownKey {
				t.Errorf("%s key id: %q", name, got)
			}
		}
		if got := w.reason("", a.AccessKeyID); got != fault.AuthUnknownKey {
			t.Errorf("no token: %q", got)
		}
		if got := w.reason(string(a.SessionToken), a.AccessKeyID); got != "" {
			t.Errorf("its own: %q", got)
		}
	}
}

// An access key id carries 40 random bits, so ids will meet; the secrets of two tokens differ even then.
func TestSecretsDifferWhereIDsMeet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.keys.Current(keyring.Credentials)
	c := Caller{RoleARN: w.grant().RoleARN, RoleID: "AROA", SessionName: "s", Issued: w.clock.Now(), Expires: w.clock.Now().Add(time.Hour)}
	payload, err := encode(&c, "")
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[Secret]bool{}
	for range 2 {
		token := base64.RawURLEncoding.EncodeToString(key.Seal(sessionLabel, "ASIADOZY2NDIYAAAAAAA", payload))
		_, secret, err := w.Open(token, "ASIADOZY2NDIYAAAAAAA", w.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		secrets[secret] = true
	}
	if len(secrets) != 2 {
		t.Error("two tokens of one access key id have one secret")
	}
}

func TestExpiryAndRetirement(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.grant()
	c := w.mint(t, g)
	w.clock.Advance(time.Hour - time.Microsecond)
	if got := w.reason(string(c.SessionToken), c.AccessKeyID); got != "" {
		t.Errorf("just before its end: %q", got)
	}
	w.clock.Advance(time.Microsecond)
	if got := w.reason(string(c.SessionToken), c.AccessKeyID); got != fault.AuthExpired {
		t.Errorf("at its end: %q", got)
	}

	g.Issued, g.Duration = w.clock.Now(), MaxDuration
	early := w.mint(t, g)
	if got := w.reason(string(early.SessionToken), early.AccessKeyID); got != "" {
		t.Fatal(got) // it stays in the cache: what was opened once retires as well
	}
	if _, err := w.keys.Rotate(t.Context(), keyring.Credentials); err != nil {
		t.Fatal(err)
	}
	old := w.mint(t, g) // the new key is not in use yet
	w.clock.Advance(time.Minute)
	g.Issued = w.clock.Now()
	fresh := w.mint(t, g)
	w.clock.Advance(MaxDuration - 2*time.Minute)
	for name, c := range map[string]Credentials{"old": old, "fresh": fresh} {
		if got := w.reason(string(c.SessionToken), c.AccessKeyID); got != "" {
			t.Errorf("%s key, its longest session not over: %q", name, got)
		}
	}
	w.clock.Advance(2 * time.Minute)
	// A retired key says nothing any more, not even that the credentials are expired.
	for name, c := range map[string]Credentials{"opened before": early, "opened after": old} {
		if got := w.reason(string(c.SessionToken), c.AccessKeyID); got != fault.AuthUnknownKey {
			t.Errorf("retired key past its grace, %s: %q", name, got)
		}
	}
	if got := w.reason(string(fresh.SessionToken), fresh.AccessKeyID); got != fault.AuthExpired {
		t.Errorf("present key: %q", got)
	}
}

func TestRestoreEndsTheEpoch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.mint(t, w.grant())
	err := w.db.Update(t.Context(), func(tx *store.Tx) error { _, err := tx.SetEpoch("restored"); return err })
	if err != nil {
		t.Fatal(err)
	}
	w.Minter = w.minter(t)
	if got := w.reason(string(c.SessionToken), c.AccessKeyID); got != fault.AuthUnknownKey {
		t.Errorf("issued before the restore: %q", got)
	}
	c = w.mint(t, w.grant())
	if got := w.reason(string(c.SessionToken), c.AccessKeyID); got != "" {
		t.Errorf("issued after the restore: %q", got)
	}
}
