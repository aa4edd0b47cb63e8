package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// process is a server that was started and is ready.
type process struct {
	cmd   *exec.Cmd
	addr  string
	ready time.Duration // from the start
}

// dev starts `sallyport dev` on a world in dir, on a free port.
func (b bench) dev(ctx context.Context, dir string) (*process, world, error) {
	p, err := launch(ctx, b.binary, "dev", "--data", dir, "--listen", "127.0.0.1:0")
	if err != nil {
		return nil, world{}, err
	}
	w, err := readWorld(dir)
	return p, w, err
}

// launch starts a server and waits for its line "ready ADDRESS". The server is killed when ctx ends.
func launch(ctx context.Context, name string, args ...string) (*process, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for s := bufio.NewScanner(out); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), "ready "); ok {
			p := &process{cmd: cmd, addr: rest, ready: time.Since(start)}
			if u, err := url.Parse(rest); err == nil && u.Host != "" {
				p.addr = u.Host
			}
			return p, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("%s %v ended before it was ready", name, args), cmd.Wait())
}

// launchAt starts a server that says nothing when it is ready, on a free port, and waits until it takes connections.
func launchAt(ctx context.Context, name string, args func(port string) []string) (*process, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, name, args(port)...)
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for time.Since(start) < maxWait && ctx.Err() == nil {
		if conn, err := net.Dial("tcp", addr); err == nil {
			return &process{cmd: cmd, addr: addr, ready: time.Since(start)}, conn.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil, errors.Join(fmt.Errorf("%s does not answer on %s", name, addr), cmd.Process.Kill(), cmd.Wait())
}

// stop ends the process in good order.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && !exit.Exited() {
		return nil // ended by the signal: it has no handler for it
	}
	return err
}

// residentMiB is the process's resident memory.
func (p *process) residentMiB() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		var kib float64
		if _, err := fmt.Sscanf(line, "VmRSS: %f kB", &kib); err == nil {
			return kib / 1024, nil
		}
	}
	return 0, io.ErrUnexpectedEOF
}

// world is what the measurements need of dev.json.
type world struct {
	Region      string `json:"region"`
	InstanceARN string `json:"instance_arn"`
	StoreID     string `json:"identity_store_id"`
	Operator    struct {
		ID     string `json:"access_key_id"`
		Secret string `json:"secret_access_key"`
	} `json:"operator"`
	Accounts []struct {
		ID string `json:"id"`
	} `json:"accounts"`
	Users []struct {
		ID       string `json:"user_id"`
		Name     string `json:"user_name"`
		Password string `json:"password"`
	} `json:"users"`
	Groups []struct {
		ID string `json:"group_id"`
	} `json:"groups"`
}

func readWorld(dir string) (w world, err error) {
	b, err := os.ReadFile(filepath.Join(dir, "dev.json"))
	if err == nil {
		err = json.Unmarshal(b, &w)
	}
	return w, err
}
