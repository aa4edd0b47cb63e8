package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// debian is the folder with Debian 13's AWS CLI and boto3.
var debian = sync.OnceValues(func() (string, error) {
	var said bytes.Buffer
	cmd := exec.Command("../../scripts/aws-cli-chroot")
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("make the AWS CLI's folder: %w\n%s", err, said.String())
	}
	return strings.TrimSpace(string(out)), nil
})

// awsUser is somebody at a shell with the AWS CLI and boto3: a home folder and an environment, and nothing inherited.
type awsUser struct {
	tb   testing.TB
	root string // the folder that is entered by chroot
	home string // as seen inside it
	env  []string
}

func newAWSUser(tb testing.TB, env ...string) *awsUser {
	tb.Helper()
	root, err := debian()
	if err != nil {
		tb.Fatal(err)
	}
	home, err := os.MkdirTemp(filepath.Join(root, "tmp"), "home-")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(home); err != nil {
			tb.Error(err)
		}
	})
	return &awsUser{tb: tb, root: root, home: strings.TrimPrefix(home, root), env: env}
}

// operator is a user with the operator's keys, who sends everything to the server.
func (s *server) operator() *awsUser {
	s.tb.Helper()
	return newAWSUser(s.tb,
		"AWS_ENDPOINT_URL="+s.Endpoint,
		"AWS_REGION="+s.Region,
		"AWS_DEFAULT_REGION="+s.Region, // the one that boto3 reads
		"AWS_ACCESS_KEY_ID="+s.Operator.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY="+s.Operator.SecretAccessKey,
	)
}

// path is the place, on this machine, of a file in the user's home.
func (u *awsUser) path(name string) string { return filepath.Join(u.root, u.home, name) }

// command runs a program of the folder. Only the root changes: loopback is the same inside.
func (u *awsUser) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: u.root}
	cmd.Dir = u.home
	cmd.Env = append([]string{
		"PATH=/usr/bin:/bin", "HOME=" + u.home, "LANG=C.UTF-8",
		"AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true", "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1",
	}, u.env...)
	return cmd
}

// awsError is a failed command: what it printed says which exception the server answered with.
type awsError struct{ stderr string }

func (e *awsError) Error() string { return e.stderr }

// try runs the AWS CLI and returns its standard output.
func (u *awsUser) try(args ...string) (string, error) {
	u.tb.Helper()
	var stdout, stderr bytes.Buffer
	cmd := u.command("/usr/bin/aws", args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return "", &awsError{strings.TrimSpace(stderr.String())}
	} else if err != nil {
		u.tb.Fatalf("run aws %q: %v", args, err)
	}
	return stdout.String(), nil
}

// aws runs the AWS CLI, which must succeed, and reads its JSON into out unless that is nil.
func (u *awsUser) aws(out any, args ...string) {
	u.tb.Helper()
	printed, err := u.try(args...)
	if err != nil {
		u.tb.Fatalf("aws %q: %v", args, err)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal([]byte(printed), out); err != nil {
		u.tb.Fatalf("aws %q: read output: %v\n%s", args, err, printed)
	}
}

// refused runs the AWS CLI, which must fail with the given exception.
func (u *awsUser) refused(exception string, args ...string) {
	u.tb.Helper()
	printed, err := u.try(args...)
	if err == nil {
		u.tb.Fatalf("aws %q succeeded, want %s:\n%s", args, exception, printed)
	}
	if !strings.Contains(err.Error(), "("+exception+")") {
		u.tb.Fatalf("aws %q: want %s, got: %v", args, exception, err)
	}
}

// begin starts the AWS CLI beside the test, which then plays the person that it waits for.
func (u *awsUser) begin(args ...string) *process {
	u.tb.Helper()
	return start(u.tb, u.command("/usr/bin/aws", args...))
}

// python runs a script of testdata with the interpreter that has boto3.
func (u *awsUser) python(script string) string {
	u.tb.Helper()
	source, err := os.ReadFile(filepath.Join("testdata", script))
	if err != nil {
		u.tb.Fatal(err)
	}
	if err := os.WriteFile(u.path(script), source, 0o600); err != nil {
		u.tb.Fatal(err)
	}
	return start(u.tb, u.command("/usr/bin/python3", script)).wait()
}
