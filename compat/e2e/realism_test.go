package e2e

import (
	"context"
	"flag"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite documents that are measured")

// motoAccount is the account that moto takes every caller to be of, and every permission set to be provisioned in.
const motoAccount = "123456789012"

const realismFile = "../../docs/realism.md"

// TestRealism: Sallyport answers in every case of docs/realism.md as is written there, and so does moto where the version is
// installed that the document names.
func TestRealism(t *testing.T) {
	t.Parallel()
	committed, err := os.ReadFile(realismFile)
	if err != nil && !*update {
		t.Fatal(err)
	}
	version, moto := parseRealism(string(committed))
	command, installed := installedMoto(t)
	if installed != "" && (*update || installed == version) {
		version, moto = installed, measureMoto(t, command)
	} else {
		t.Logf("moto's column is of %s and was not measured: installed is %q", version, installed)
	}

	s := startDev(t)
	ours := measure(t, s.operatorConfig(), sampleAccount)
	for _, theme := range themes {
		for _, row := range theme.rows {
			if got := ours[row.what]; got != row.wanted() {
				t.Errorf("%s: %q, want %q", row.what, got, row.wanted())
			}
		}
	}
	document := renderRealism(version, moto, ours)
	if *update {
		if err := os.WriteFile(realismFile, []byte(document), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(strings.Split(string(committed), "\n"), strings.Split(document, "\n")); d != "" {
		t.Errorf("docs/realism.md is not true (rewrite it with -update):\n%s", d)
	}
}

// TestRealismTable: every behaviour is described once, in cells that a table can hold, with a source where AWS's is given.
func TestRealismTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, theme := range themes {
		for _, row := range theme.rows {
			if seen[row.what] || row.wanted() == "" || row.run == nil || (row.aws != "" && row.source == "") {
				t.Errorf("%s: %q is there twice, or lacks a part", theme.title, row.what)
			}
			if strings.ContainsAny(row.what+row.aws+row.source+row.ours, "|\n") {
				t.Errorf("%s: %q cannot stand in a table", theme.title, row.what)
			}
			seen[row.what] = true
		}
	}
	if len(seen) < 60 {
		t.Errorf("%d behaviours, want 60 at least", len(seen))
	}
}

// measure observes every behaviour of a server.
func measure(t *testing.T, config aws.Config, account string) measured {
	t.Helper()
	w, err := newRealm(t.Context(), config, account)
	if err != nil {
		t.Fatal(err)
	}
	got := measured{}
	for _, theme := range themes {
		for _, row := range theme.rows {
			got[row.what] = w.observe(row.run)
		}
	}
	return got
}

// installedMoto is moto's server and version, both "" where it is not installed.
func installedMoto(t *testing.T) (command, version string) {
	t.Helper()
	command, err := exec.LookPath("moto_server")
	if err != nil {
		return "", ""
	}
	python := filepath.Join(filepath.Dir(command), "python3")
	out, err := exec.CommandContext(t.Context(), python, "-c", "import importlib.metadata as m; print(m.version('moto'))").Output()
	if err != nil {
		t.Logf("moto's version: %v", err)
		return "", ""
	}
	return command, strings.TrimSpace(string(out))
}

// measureMoto starts moto and observes it.
func measureMoto(t *testing.T, command string) measured {
	t.Helper()
	address := freeAddress(t)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(command, "-H", "127.0.0.1", "-p", port)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil { // and what it prints is not kept: it is a trace of each call that it does not know
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill() // an error says that it has ended already
		_ = cmd.Wait()
	}()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			conn.Close()
			break
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	return measure(t, aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String("http://" + address),
		Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7REALISM", "secret", ""),
	}, motoAccount)
}
