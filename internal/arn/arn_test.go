package arn

import (
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"arn:aws:sso:::instance/ssoins-1234567890abcdef",
		"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_X_0123456789abcdef",
		"arn:aws:s3:::bucket/key:with:colons",
	} {
		a, err := Parse(s)
		if err != nil {
			t.Errorf("Parse(%q): %v", s, err)
		} else if a.String() != s {
			t.Errorf("Parse(%q).String() = %q", s, a)
		}
	}
	for _, s := range []string{"", "arn", "arn:aws:sso", "arn:aws:sso:::", "urn:aws:sso:::x", "arn::sso:::x"} {
		if _, err := Parse(s); err == nil {
			t.Errorf("Parse(%q) succeeded", s)
		}
	}
}

func TestPermissionSetRoundTrip(t *testing.T) {
	t.Parallel()
	p := NewPermissionSet(NewInstance())
	got, err := ParsePermissionSet(p.ARN())
	if err != nil || got != p {
		t.Errorf("ParsePermissionSet(%q) = %v, %v", p.ARN(), got, err)
	}
	if _, err := ParsePermissionSet(p.Instance.ARN()); err == nil {
		t.Error("an instance's ARN was taken for a permission set's")
	}
	if i, err := ParseInstance(p.Instance.ARN()); err != nil || i != p.Instance {
		t.Errorf("ParseInstance = %v, %v", i, err)
	}
}

func TestAccessKeyCarriesAccount(t *testing.T) {
	t.Parallel()
	for _, account := range []AccountID{"111122223333", "000000000001", "999999999999"} {
		id := NewAccessKeyID("ASIA", account)
		if len(id) != 20 {
			t.Errorf("%q has %d characters", id, len(id))
		}
		if got, ok := AccountOfAccessKey(id); !ok || got != account {
			t.Errorf("AccountOfAccessKey(%q) = %q, %v; want %q", id, got, ok, account)
		}
	}
	for _, id := range []string{"", "AKIA", "AKIA11111111AAAAAAAA", strings.Repeat("A", 21)} {
		if a, ok := AccountOfAccessKey(id); ok && id != "" && len(id) != 20 {
			t.Errorf("AccountOfAccessKey(%q) = %q", id, a)
		}
	}
}

// TestRoleName is case S25: the longest name of a permission set still fits IAM's 64 characters.
func TestRoleName(t *testing.T) {
	t.Parallel()
	if n := len(RoleName(strings.Repeat("x", 32), RoleSuffix())); n != 64 {
		t.Errorf("the longest role name has %d characters", n)
	}
	if p := RolePath("us-east-1"); p != "/aws-reserved/sso.amazonaws.com/" {
		t.Errorf("path in us-east-1 is %q", p)
	}
	if p := RolePath("local-1"); p != "/aws-reserved/sso.amazonaws.com/local-1/" {
		t.Errorf("path elsewhere is %q", p)
	}
}

func TestTimeUUIDOrder(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_800_000_000, 0)
	if a, b := NewTimeUUID(at), NewTimeUUID(at.Add(time.Millisecond)); a >= b {
		t.Errorf("%s of the earlier time is not before %s", a, b)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-1234567890abcdef")
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := Parse(s); err == nil && a.String() != s {
			t.Errorf("Parse(%q).String() = %q", s, a)
		}
		_, _ = ParsePermissionSet(s)
		_, _ = ParseInstance(s)
		_, _ = ParseAccountID(s)
	})
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"arn:aws-cn:sso:::instance/ssoins-1": "arn:aws:sso:::instance/ssoins-1", "arn:aws:sso:::x": "arn:aws:sso:::x", "arn::sso": "arn:aws:sso",
		"*": "*", "": "", "arn:": "arn:", "arn:aws": "arn:aws", "ssoins-1": "ssoins-1",
	} {
		if got := Canonical(given); got != want {
			t.Errorf("%q becomes %q, want %q", given, got, want)
		}
	}
}
