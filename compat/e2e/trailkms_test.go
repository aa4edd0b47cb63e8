package e2e

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sallyport/internal/kms"
)

// startKMS runs local-kms, which is not ours, with a key of a kind, and has the AWS SDK find it.
func startKMS(t *testing.T, spec string) (arn string) {
	t.Helper()
	dir, address := t.TempDir(), freeAddress(t)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "local-kms"), "github.com/nsmithuk/local-kms")
	build.Dir, build.Env = "../../tools/localkms", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build local-kms: %v\n%s", err, out)
	}
	cmd := exec.Command(filepath.Join(dir, "local-kms"))
	cmd.Env = []string{"PORT=" + address[strings.LastIndexByte(address, ':')+1:], "KMS_DATA_PATH=" + dir, "KMS_REGION=eu-test-1", "KMS_ACCOUNT_ID=111122223333"}
	start(t, cmd)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_KMS": "http://" + address, "AWS_REGION": "eu-test-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_SESSION_TOKEN": "",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PROFILE": "",
	} {
		t.Setenv(name, value)
	}
	body, err := json.Marshal(map[string]string{"KeySpec": spec, "KeyUsage": "SIGN_VERIFY"})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", "TrentService.CreateKey")
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			if time.Now().After(deadline) {
				t.Fatal(err)
			}
			continue
		}
		var made struct{ KeyMetadata struct{ Arn string } }
		err = json.NewDecoder(res.Body).Decode(&made)
		if res.Body.Close(); err != nil || made.KeyMetadata.Arn == "" {
			t.Fatalf("%s: %+v, %v", res.Status, made, err)
		}
		return made.KeyMetadata.Arn
	}
}

// TestTrailKMS: a KMS that others wrote signs what digests are signed with, short texts and long ones, and its public key verifies that.
func TestTrailKMS(t *testing.T) {
	arn := startKMS(t, "RSA_2048")
	k, err := new(kms.Client).Key(t.Context(), arn)
	if err != nil {
		t.Fatal(err)
	}
	if k.ARN() != arn || k.Public().Size() != 256 {
		t.Errorf("%s: %d bytes", k.ARN(), k.Public().Size())
	}
	for _, text := range []string{"text", strings.Repeat("x", 4096), strings.Repeat("x", 5000)} {
		a, err := k.Sign(t.Context(), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		b, err := k.Sign(t.Context(), []byte(text))
		sum := sha256.Sum256([]byte(text))
		if err != nil || rsa.VerifyPKCS1v15(k.Public(), crypto.SHA256, sum[:], a) != nil || !bytes.Equal(a, b) {
			t.Errorf("%d bytes: %x, %x, %v", len(text), a, b, err)
		}
	}
	if _, err := new(kms.Client).Key(t.Context(), arn+"0"); err == nil {
		t.Error("a key that there is not was found")
	}
}

// TestTrailKMSRefuses: a key of another kind is refused before anything is signed with it.
func TestTrailKMSRefuses(t *testing.T) {
	if _, err := new(kms.Client).Key(t.Context(), startKMS(t, "ECC_NIST_P256")); err == nil || !strings.Contains(err.Error(), "RSA_2048") {
		t.Errorf("%v", err)
	}
}
