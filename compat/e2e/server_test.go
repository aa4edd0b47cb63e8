package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the program under test: SALLYPORT_BIN, or a fresh build.
var binary = sync.OnceValues(func() (string, error) {
	if built := os.Getenv("SALLYPORT_BIN"); built != "" {
		return filepath.Abs(built)
	}
	dir, err := os.MkdirTemp("", "sallyport-bin-")
	if err != nil {
		return "", err
	}
	atExit(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "sallyport")
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, "./cmd/sallyport")
	cmd.Dir, cmd.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build sallyport: %w\n%s", err, out)
	}
	return path, nil
})

// sallyport is a run of the program; home is what it takes for the user's home folder.
func sallyport(tb testing.TB, home string, args ...string) *exec.Cmd {
	tb.Helper()
	path, err := binary()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + home}
	return cmd
}

// world is what `sallyport dev` writes to dev.json.
type world struct {
	Endpoint            string
	Region              string
	StartURL            string `json:"start_url"`
	PortalURL           string `json:"portal_url"`
	InstanceARN         string `json:"instance_arn"`
	IdentityStoreID     string `json:"identity_store_id"`
	ManagementAccountID string `json:"management_account_id"`
	Operator            struct {
		AccessKeyID     string `json:"access_key_id"`
		SecretAccessKey string `json:"secret_access_key"`
	}
	Accounts []struct{ ID, Name string }
	Users    []person
	Groups   []struct {
		DisplayName string `json:"display_name"`
		GroupID     string `json:"group_id"`
		Members     []string
	}
}

// person is somebody who can sign in.
type person struct {
	UserName string `json:"user_name"`
	UserID   string `json:"user_id"`
	Password string
	Secret   string `json:"totp_secret"` // of their authenticator app; empty: they have none yet
}

// member is the first member of the group with the given id.
func (w *world) member(tb testing.TB, groupID string) person {
	tb.Helper()
	for _, group := range w.Groups {
		if group.GroupID != groupID || len(group.Members) == 0 {
			continue
		}
		for _, user := range w.Users {
			if user.UserName == group.Members[0] {
				return user
			}
		}
	}
	tb.Fatalf("nobody is in group %s", groupID)
	return person{}
}

// server is a running `sallyport dev`.
type server struct {
	*process
	world
	tb   testing.TB
	dir  string
	args []string
}

// startDev starts a throwaway server on a free port of loopback, with more arguments where a test needs them.
func startDev(tb testing.TB, args ...string) *server {
	tb.Helper()
	s := &server{tb: tb, dir: tb.TempDir()}
	s.args = append([]string{"dev", "--data", s.dir, "--listen", freeAddress(tb)}, args...)
	s.start()
	return s
}

// start runs the server, again after kill or stop, and waits until it serves.
func (s *server) start() {
	s.tb.Helper()
	s.process = start(s.tb, sallyport(s.tb, s.dir, s.args...))
	s.find(`(?m)^ready http://\S+$`)
	described, err := os.ReadFile(filepath.Join(s.dir, "dev.json"))
	if err != nil {
		s.tb.Fatal(err)
	}
	s.world = world{}
	if err := json.Unmarshal(described, &s.world); err != nil {
		s.tb.Fatalf("read dev.json: %v", err)
	}
}

// stop asks the server to end, which it must do cleanly within ten seconds.
func (s *server) stop() {
	s.tb.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.tb.Fatalf("ask the server to stop: %v", err)
	}
	select {
	case <-s.exited:
	case <-time.After(10 * time.Second):
		s.tb.Fatalf("server still runs 10 s after SIGTERM:\n%s", s.out)
	}
	if s.err != nil {
		s.tb.Fatalf("server ended with %v:\n%s", s.err, s.out)
	}
}

// freeAddress is a loopback address that nobody listens on. Tests that restart a server need to know it beforehand.
func freeAddress(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
