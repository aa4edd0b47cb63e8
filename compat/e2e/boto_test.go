package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// botoLine is what testdata/boto/main.py prints a line of: its version, a test, or a list that it has made.
type botoLine struct {
	Boto3   string
	Test    string
	Problem string
	List    *botoList
}

// botoList is a list that is there now: the operation that shows it, and how many items there are.
type botoList struct {
	Operation, Service string
	Note               string // tells lists of one operation apart
	Params             map[string]any
	Key                string   // the member of an answer that has the items
	Members            []string // that tell an item from others; none: the item is a text
	Items              int
}

// TestBoto3: Debian's boto3 calls every operation that it knows of sso-admin and identitystore, meets every error that a
// caller can cause, and pages through every list; then the AWS CLI shows the same lists.
func TestBoto3(t *testing.T) {
	t.Parallel()
	s := startDev(t, "--accounts", "251")
	u := s.operator()
	script := u.botoScript(s.botoWorld())
	lists := botoResults(t, u.command("/usr/bin/python3", script, filepath.Join(filepath.Dir(script), "world.json")))
	for _, list := range lists {
		t.Run("cli/"+list.Operation+"/"+list.Note, func(t *testing.T) {
			t.Parallel()
			list.show(t, s.operator())
		})
	}
}

// TestBoto3OfMachine: the same with the machine's own boto3, where there is one that is newer than Debian's: it knows
// operations that the other one does not.
func TestBoto3OfMachine(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err == nil {
		err = exec.Command(python, "-c", "import boto3; assert [int(n) for n in boto3.__version__.split('.')[:2]] > [1, 37]").Run()
	}
	if err != nil {
		t.Logf("no boto3 of the machine's own that is newer than Debian's: %v", err)
		return
	}
	s := startDev(t, "--accounts", "251")
	dir := t.TempDir()
	copyBoto(t, dir, s.botoWorld())
	cmd := exec.Command(python, filepath.Join(dir, "main.py"), filepath.Join(dir, "world.json"))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1"}
	botoResults(t, cmd)
}

// botoWorld is what the scripts are told: dev.json, with the credentials of somebody who may do nothing and of one who may do
// all in a member account, and the list of what is implemented.
func (s *server) botoWorld() []byte {
	s.tb.Helper()
	known := map[string]any{}
	described, err := os.ReadFile(filepath.Join(s.dir, "dev.json"))
	if err == nil {
		err = json.Unmarshal(described, &known)
	}
	if err != nil {
		s.tb.Fatal(err)
	}
	coverage, err := os.ReadFile("../../docs/coverage.txt")
	if err != nil {
		s.tb.Fatal(err)
	}
	known["coverage"], known["nobody"], known["member"] = string(coverage), s.nobody(), s.owner()
	text, err := json.Marshal(known)
	if err != nil {
		s.tb.Fatal(err)
	}
	return text
}

// nobody has a role without a policy in the account that may administer, and gets its credentials as people do.
func (s *server) nobody() map[string]string {
	s.tb.Helper()
	operator := s.operator()
	var made struct {
		PermissionSet struct{ PermissionSetArn string }
	}
	operator.aws(&made, "sso-admin", "create-permission-set", "--instance-arn", sampleInstance, "--name", "Nothing")
	var asked struct{ AccountAssignmentCreationStatus struct{ RequestId string } }
	operator.aws(&asked, "sso-admin", "create-account-assignment", "--instance-arn", sampleInstance,
		"--target-id", sampleAccount, "--target-type", "AWS_ACCOUNT", "--permission-set-arn", made.PermissionSet.PermissionSetArn,
		"--principal-type", "GROUP", "--principal-id", sampleGroup)
	operator.assigned(asked.AccountAssignmentCreationStatus.RequestId)
	return s.keys(s.member(s.tb, sampleGroup), sampleAccount, "Nothing")
}

// owner may do everything in the last of the member accounts, which the scripts assign nothing in.
func (s *server) owner() map[string]string {
	s.tb.Helper()
	who, account := s.member(s.tb, sampleGroup), s.Accounts[len(s.Accounts)-1].ID
	s.grant("Everything", account, who)
	keys := s.keys(who, account, "Everything")
	keys["account"] = account
	return keys
}

// keys are the credentials that a person's sign-in gives them for a role in an account.
func (s *server) keys(who person, account, role string) map[string]string {
	s.tb.Helper()
	u := newAWSUser(s.tb)
	profile := s.configure(u, who, account, role)
	loginPKCE(u, profile, who)
	printed, err := u.try("configure", "export-credentials", "--profile", profile)
	if err != nil {
		s.tb.Fatal(err)
	}
	var keys struct{ AccessKeyId, SecretAccessKey, SessionToken string }
	if err := json.Unmarshal([]byte(printed), &keys); err != nil {
		s.tb.Fatal(err)
	}
	return map[string]string{
		"access_key_id": keys.AccessKeyId, "secret_access_key": keys.SecretAccessKey, "session_token": keys.SessionToken,
	}
}

// copyBoto puts the scripts and what they are told into a folder.
func copyBoto(tb testing.TB, dir string, world []byte) {
	tb.Helper()
	if err := os.CopyFS(dir, os.DirFS("testdata/boto")); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "world.json"), world, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// botoScript puts the scripts into the user's home and returns where the first of them is, as seen inside it.
func (u *awsUser) botoScript(world []byte) string {
	u.tb.Helper()
	copyBoto(u.tb, u.path("boto"), world)
	return filepath.Join(u.home, "boto", "main.py")
}

// botoResults runs the scripts and makes a subtest of each of their tests. It returns the lists that they have made.
func botoResults(t *testing.T, cmd *exec.Cmd) (lists []botoList) {
	t.Helper()
	p := start(t, cmd)
	select {
	case <-p.exited:
	case <-time.After(10 * patience): // thousands of calls, beside seven other tests
		t.Fatalf("boto3 does not end:\n%s", p.out)
	}
	tests := 0
	for text := range strings.Lines(p.out.String()) {
		var line botoLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Errorf("boto3 printed %q", text)
			continue
		}
		switch {
		case line.List != nil:
			lists = append(lists, *line.List)
		case line.Boto3 != "":
			t.Logf("boto3 %s", line.Boto3)
		default:
			tests++
			t.Run(line.Test, func(t *testing.T) {
				if line.Problem != "" {
					t.Error(line.Problem)
				}
			})
		}
	}
	if p.err != nil || tests == 0 {
		t.Errorf("boto3 ended with %v after %d tests", p.err, tests)
	}
	return lists
}
