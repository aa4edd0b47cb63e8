package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"

	"sallyport/internal/sigv4"
)

// TestSign compares our signer with the SDK's on requests of which both sign the same headers.
func TestSign(t *testing.T) {
	t.Parallel()
	signed := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	body := []byte("{}")
	hash := sha256.Sum256(body)
	for _, sessionToken := range []string{"", token} {
		for _, target := range []string{"/", "/a%20b/%E1%88%B4", "/?b=2&a=1&A=3&a-b=4&x=%20%2B%2F"} {
			ours, err := http.NewRequest(http.MethodPost, "http://id.example.org:8443"+target, nil)
			if err != nil {
				t.Fatal(err)
			}
			ours.Header.Set("Content-Type", "application/x-amz-json-1.1")
			ours.Header.Set("X-Amz-Target", "SWBExternalService.ListInstances")
			theirs := ours.Clone(context.Background())
			if err := v4.NewSigner().SignHTTP(context.Background(), credentials(sessionToken), theirs, hex.EncodeToString(hash[:]), "sso", "local-1", signed); err != nil {
				t.Fatal(err)
			}
			c := sigv4.Credentials{AccessKeyID: keyID, SecretAccessKey: secret, SessionToken: sessionToken}
			if err := sigv4.Sign(ours, body, c, "local-1", "sso", signed); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(theirs.Header, ours.Header); diff != "" {
				t.Errorf("%s (-SDK +ours):\n%s", target, diff)
			}
		}
	}
}
