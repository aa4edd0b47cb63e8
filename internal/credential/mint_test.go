package credential

import (
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"sallyport/internal/fault"
)

func TestTokenShowsNothingAndIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.grant()
	c := w.mint(t, g)
	raw, _ := base64.RawURLEncoding.DecodeString(string(c.SessionToken))
	for _, s := range []string{g.RoleARN[20:40], g.RoleID, g.SessionName, g.UserID, g.SessionID, g.PermissionSet[:20], "123456789012"} {
		if strings.Contains(string(raw), s) || strings.Contains(string(c.SessionToken), s) {
			t.Errorf("the token shows %q", s)
		}
	}
	t.Logf("an ordinary token has %d characters", len(c.SessionToken))

	g.SessionPolicy = `{"Version":"2012-10-17","Statement":[` + strings.Repeat(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"},`, 100) + `{}]}`
	if n := len(w.mint(t, g).SessionToken); n > maxToken/2 {
		t.Errorf("a repetitive policy of %d bytes makes a token of %d", len(g.SessionPolicy), n)
	}
	g.SessionPolicy = strings.Repeat("x", maxPolicy+1)
	if _, err := w.Role(g); fault.KindOf(err) != fault.Invalid {
		t.Errorf("policy too long: %v", err)
	}
	g.SessionPolicy = ""
	g.Tags = map[string]string{}
	for i := range maxTags {
		g.Tags[fmt.Sprint(i)] = strings.Repeat("v", 256)
	}
	if _, err := w.Role(g); fault.KindOf(err) != fault.Quota {
		t.Errorf("tags too long: %v", err)
	}
	g.Tags["one more"] = ""
	if _, err := w.Role(g); fault.KindOf(err) != fault.Invalid {
		t.Errorf("too many tags: %v", err)
	}
}

func TestIncompleteGrantIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, change := range map[string]func(*RoleGrant){
		"no role":      func(g *RoleGrant) { g.RoleARN = "" },
		"a user":       func(g *RoleGrant) { g.RoleARN = "arn:aws:iam::123456789012:user/alice" },
		"no account":   func(g *RoleGrant) { g.RoleARN = "arn:aws:iam::aws:role/x" },
		"no role id":   func(g *RoleGrant) { g.RoleID = "" },
		"no session":   func(g *RoleGrant) { g.SessionName = "" },
		"not issued":   func(g *RoleGrant) { g.Issued = time.Time{} },
		"no duration":  func(g *RoleGrant) { g.Duration = 0 },
		"too long":     func(g *RoleGrant) { g.Duration = MaxDuration + 1 },
		"goes back":    func(g *RoleGrant) { g.Duration = -time.Hour },
		"not any ARN":  func(g *RoleGrant) { g.RoleARN = "role/x" },
		"short number": func(g *RoleGrant) { g.RoleARN = "arn:aws:iam::12345:role/x" },
	} {
		g := w.grant()
		change(&g)
		if _, err := w.Role(g); err == nil {
			t.Errorf("%s: minted", name)
		}
	}
}

// "10 million keys in one account, no two share a secret" (hard part 2): all of them in soak runs, fewer always.
func TestNoTwoKeysShareASecret(t *testing.T) {
	t.Parallel()
	n := 50_000
	if os.Getenv("SALLYPORT_SOAK") == "1" {
		n = 10_000_000
	}
	w := newWorld(t)
	g := w.grant()
	seen := make(map[[16]byte]struct{}, n) // 96 bits of each: whole secrets would need a gigabyte
	for range n {
		c := w.mint(t, g)
		p := [16]byte([]byte(c.SecretAccessKey[:16]))
		if _, ok := seen[p]; ok {
			t.Fatal("two keys share a secret")
		}
		seen[p] = struct{}{}
	}
}

func BenchmarkMint(b *testing.B) {
	w := newWorld(b)
	g := w.grant()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Role(g); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	w := newWorld(b)
	c := w.mint(b, w.grant())
	token, now := string(c.SessionToken), w.clock.Now()
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			w.cache = newCache(1)
			if _, _, err := w.Open(token, c.AccessKeyID, now); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("again", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := w.Open(token, c.AccessKeyID, now); err != nil {
				b.Fatal(err)
			}
		}
	})
}
