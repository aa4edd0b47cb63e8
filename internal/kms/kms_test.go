package kms

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sallyport/internal/clock"
	"sallyport/internal/fault"
	"sallyport/internal/sigv4"
)

const keyARN = "arn:aws:kms:eu-test-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

// fake is a KMS with one key. It verifies signatures as KMS does.
type fake struct {
	*testing.T
	key     *rsa.PrivateKey
	spec    string
	refused int
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		f.Error(err)
	}
	sig, err := sigv4.Parse(r)
	if err == nil {
		err = (&sigv4.Verifier{Service: "kms", Regions: []string{"eu-test-1"}}).Verify(r, body, sig, "hush", clock.System{}.Now())
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	answer := func(status int, v any) {
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(v); err != nil {
			f.Error(err)
		}
	}
	var in struct {
		KeyID, MessageType, SigningAlgorithm string
		Message                              []byte
	}
	if e := json.Unmarshal(body, &in); e != nil {
		f.Error(e)
	}
	switch op := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "TrentService."); {
	case err != nil:
		f.refused++
		answer(400, map[string]string{"__type": "InvalidSignatureException", "message": err.Error()})
	case op == "DescribeKey" && in.KeyID != keyARN && in.KeyID != "alias/trail":
		answer(400, map[string]string{"__type": "NotFoundException", "message": "Invalid keyId"})
	case op == "DescribeKey":
		answer(200, map[string]any{"KeyMetadata": map[string]any{"Arn": keyARN, "KeyId": "1234abcd", "Enabled": true, "KeyUsage": "SIGN_VERIFY", "KeySpec": f.spec}})
	case op == "GetPublicKey":
		der, err := x509.MarshalPKIXPublicKey(&f.key.PublicKey)
		if err != nil {
			f.Error(err)
		}
		answer(200, map[string]any{"KeyId": keyARN, "PublicKey": der})
	case op == "Sign" && (in.MessageType == "DIGEST" && len(in.Message) == 32 || in.MessageType == "RAW" && len(in.Message) <= 4096) && in.SigningAlgorithm == "RSASSA_PKCS1_V1_5_SHA_256" && in.KeyID == keyARN:
		if in.MessageType == "RAW" {
			sum := sha256.Sum256(in.Message)
			in.Message = sum[:]
		}
		s, err := rsa.SignPKCS1v15(nil, f.key, crypto.SHA256, in.Message)
		if err != nil {
			f.Error(err)
		}
		answer(200, map[string]any{"KeyId": keyARN, "Signature": s, "SigningAlgorithm": in.SigningAlgorithm})
	default:
		answer(400, map[string]string{"__type": "ValidationException", "message": op})
	}
}

func newFake(t *testing.T) *fake {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{T: t, key: key, spec: "RSA_2048"}
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_KMS": srv.URL, "AWS_REGION": "eu-test-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PROFILE": "", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	return f
}

func TestSign(t *testing.T) {
	f := newFake(t)
	var c Client
	for _, id := range []string{keyARN, "alias/trail"} {
		k, err := c.Key(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"text", strings.Repeat("x", 5000)} {
			s, err := k.Sign(t.Context(), []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256([]byte(text))
			if err := rsa.VerifyPKCS1v15(k.Public(), crypto.SHA256, sum[:], s); err != nil || k.ARN() != keyARN || !k.Public().Equal(&f.key.PublicKey) {
				t.Errorf("%s: %v", k.ARN(), err)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	f := newFake(t)
	for name, c := range map[string]struct{ id, spec, secret, want string }{
		"unknown":      {"alias/other", "RSA_2048", "hush", "NotFoundException"},
		"small":        {keyARN, "RSA_4096", "hush", "RSA_2048"},
		"wrong secret": {keyARN, "RSA_2048", "loud", "InvalidSignatureException"},
	} {
		t.Setenv("AWS_SECRET_ACCESS_KEY", c.secret)
		f.spec = c.spec
		var client Client
		_, err := client.Key(context.Background(), c.id)
		if x := fault.As(err); x == nil || !strings.Contains(x.Message, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if f.refused == 0 {
		t.Error("no signature was refused")
	}
}
