package server

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/config"
	"sallyport/internal/credential"
	"sallyport/internal/sigv4"
	"sallyport/internal/store"
)

// verified is a server with so many changes alive, and requests that are signed with role credentials that none of them touches.
type verified struct {
	*Server
	verifier sigv4.Verifier
	requests []*http.Request
}

// verifiers are made once: a million changes take a while to write.
var verifiers = map[int]func(*testing.B) *verified{1000: onceVerified(1000), 1_000_000: onceVerified(1_000_000)}

func onceVerified(changes int) func(*testing.B) *verified {
	var once sync.Once
	var v *verified
	return func(b *testing.B) *verified {
		once.Do(func() { v = newVerified(b, changes) })
		return v
	}
}

// newVerified is open until the process ends: several runs of a benchmark share it.
func newVerified(b *testing.B, changes int) *verified {
	dir := b.TempDir()
	db, err := store.Open(b.Context(), filepath.Join(dir, "db"), clock.System{})
	if err != nil {
		b.Fatal(err)
	}
	cfg := &config.Config{Data: dir, URL: "http://localhost:8080", Region: "us-east-1", Dev: true, LogLevel: "error", KeyFile: filepath.Join(dir, "key"), AuditFile: "off"}
	s, err := open(b.Context(), cfg, db, sampleBlueprint("us-east-1", 0))
	if err != nil {
		b.Fatal(err)
	}
	const batch = 500
	for from := 0; from < changes; from += batch {
		keys := make([]string, batch)
		for i := range keys {
			keys[i] = fmt.Sprint("session:other-", from+i)
		}
		if err := db.UpdateRelaxed(b.Context(), func(tx *store.Tx) error { return tx.Changed(keys...) }); err != nil {
			b.Fatal(err)
		}
	}
	v := &verified{Server: s, verifier: sigv4.Verifier{Service: "sts", Regions: []string{"us-east-1"}}}
	for i := range 1000 {
		c, err := s.minter.Role(credential.RoleGrant{
			RoleARN: "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/R", RoleID: "AROAQ3EGRSAVEXAMPLE23", SessionName: "a", UserName: "a",
			UserID: fmt.Sprint("u", i), SessionID: fmt.Sprint("s", i), ParentID: fmt.Sprint("p", i), PermissionSet: "arn:aws:sso:::permissionSet/ssoins-1/ps-1",
			Issued: db.Now(), Duration: time.Hour,
		})
		if err != nil {
			b.Fatal(err)
		}
		r, err := http.NewRequest(http.MethodPost, "http://localhost:8080/", strings.NewReader(verifiedBody))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if err := sigv4.Sign(r, []byte(verifiedBody), signer{AccessKeyID: c.AccessKeyID, SecretAccessKey: string(c.SecretAccessKey), SessionToken: string(c.SessionToken)}, "us-east-1", "sts", db.Now()); err != nil {
			b.Fatal(err)
		}
		v.requests = append(v.requests, r)
	}
	return v
}

const verifiedBody = "Action=GetCallerIdentity&Version=2011-06-15"

// BenchmarkVerification is all that stands between a signed request and its caller: the signature is read, the credentials opened, the
// signature verified, and the right held against as many changes as the name says.
func BenchmarkVerification(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			v := verifiers[n](b)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r := v.requests[i%len(v.requests)]
				sig, err := sigv4.Parse(r)
				if err != nil {
					b.Fatal(err)
				}
				c, secret, err := v.key(b.Context(), sig.AccessKeyID, sig.SessionToken)
				if err != nil {
					b.Fatal(err)
				}
				if err := v.verifier.Verify(r, []byte(verifiedBody), sig, string(secret), v.db.Now()); err != nil {
					b.Fatal(err)
				}
				if err := v.gate.Check(b.Context(), c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
