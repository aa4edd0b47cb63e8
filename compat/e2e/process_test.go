package e2e

import (
	"bytes"
	"context"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for something that takes well under a second on an idle machine.
const patience = time.Minute

// transcript collects what a process prints, and wakes whoever waits for a part of it.
type transcript struct {
	mu    sync.Mutex
	text  bytes.Buffer
	grown chan struct{} // closed by the next Write
}

func newTranscript() *transcript { return &transcript{grown: make(chan struct{})} }

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.grown)
	t.grown = make(chan struct{})
	return t.text.Write(p)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// match looks for pattern, and returns a channel that closes when looking again is worthwhile.
func (t *transcript) match(pattern *regexp.Regexp) ([]string, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return pattern.FindStringSubmatch(t.text.String()), t.grown
}

// process is a running program. It does not outlive its test, even one that ends the whole test binary.
type process struct {
	tb     testing.TB
	cmd    *exec.Cmd
	out    *transcript // stdout and stderr
	exited chan struct{}
	err    error // of the exit, once exited is closed
}

func start(tb testing.TB, cmd *exec.Cmd) *process {
	tb.Helper()
	p := &process{tb: tb, cmd: cmd, out: newTranscript(), exited: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.out, p.out
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	if err := cmd.Start(); err != nil {
		tb.Fatalf("start %s: %v", cmd.Path, err)
	}
	go func() {
		defer close(p.exited)
		p.err = cmd.Wait()
	}()
	tb.Cleanup(func() {
		p.kill()
		if tb.Failed() {
			tb.Logf("%s %q printed:\n%s", cmd.Path, cmd.Args[1:], p.out)
		}
	})
	return p
}

// find waits until the process has printed something that matches, and returns the match and its groups.
func (p *process) find(pattern string) []string {
	p.tb.Helper()
	re := regexp.MustCompile(pattern)
	ctx, cancel := context.WithTimeout(p.tb.Context(), patience)
	defer cancel()
	for exited := false; ; {
		found, grown := p.out.match(re)
		switch {
		case found != nil:
			return found
		case exited:
			p.tb.Fatalf("%s ended (%v) without printing %s:\n%s", p.cmd.Path, p.err, pattern, p.out)
		}
		select {
		case <-grown:
		case <-p.exited:
			exited = true // and look once more: all output is there now
		case <-ctx.Done():
			p.tb.Fatalf("%s did not print %s:\n%s", p.cmd.Path, pattern, p.out)
		}
	}
}

// wait waits for the end of the process and returns its output; it must succeed.
func (p *process) wait() string {
	p.tb.Helper()
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.tb.Fatalf("%s %q does not end:\n%s", p.cmd.Path, p.cmd.Args[1:], p.out)
	}
	if p.err != nil {
		p.tb.Fatalf("%s %q: %v\n%s", p.cmd.Path, p.cmd.Args[1:], p.err, p.out)
	}
	return p.out.String()
}

// kill ends the process at once, as a power cut would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // an error says that it has ended already
	<-p.exited
}
