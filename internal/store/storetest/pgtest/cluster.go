package pgtest

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// oldest is the first PostgreSQL release that Sallyport supports.
const oldest = 15

// supervise makes and starts a cluster, says so, and waits for the end of its standard input, which comes when the test
// binary is gone. It leaves the signals of an interrupted `go test` alone, because it has to clean up after it.
const supervise = `
trap '' HUP INT TERM
bin=$1 dir=$2 owner=$3
"$bin/initdb" --pgdata="$dir/data" --username="$owner" --auth=trust --locale=C --encoding=UTF8 --no-sync &&
"$bin/pg_ctl" start --wait --timeout=120 --pgdata="$dir/data" --log="$dir/log" \
	--options="-c listen_addresses='' -c unix_socket_directories='$dir' -c max_connections=400" && echo READY ||
cat "$dir/log"
exec >/dev/null 2>&1
cat
"$bin/pg_ctl" stop --mode=immediate --pgdata="$dir/data"
cd / && rm -rf "$dir"
`

// cluster is a running PostgreSQL.
type cluster struct {
	bin   string   // folder of its programs
	dir   string   // folder of its data and its socket
	alive *os.File // the supervisor's standard input: the cluster lives while it is open
}

// startCluster makes a cluster and waits until it answers.
func startCluster() (*cluster, error) {
	return startSupervised(supervise)
}

// startSupervised runs a script that makes and starts a cluster: its arguments are the folder of PostgreSQL's programs, a folder
// for the cluster, the name of its owner, and more.
func startSupervised(script string, more ...string) (*cluster, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pg-")
	if err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	attr := &syscall.SysProcAttr{Setsid: true}
	if os.Geteuid() == 0 { // PostgreSQL refuses to run as root
		if attr.Credential, err = unprivileged(); err != nil {
			return nil, err
		}
		if err := os.Chown(dir, int(attr.Credential.Uid), int(attr.Credential.Gid)); err != nil {
			return nil, fmt.Errorf("give folder away: %w", err)
		}
	}
	stdin, alive, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("open pipe: %w", err)
	}
	defer stdin.Close()
	cmd := exec.Command("/bin/sh", append([]string{"-c", script, "pgtest", bin, dir, owner}, more...)...)
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.SysProcAttr = dir, environment(), stdin, attr
	if err := startAndWaitReady(cmd); err != nil {
		return nil, errors.Join(err, alive.Close())
	}
	return &cluster{bin: bin, dir: dir, alive: alive}, nil
}

// startAndWaitReady starts the supervisor and reads its output up to the line that says that the cluster answers.
func startAndWaitReady(cmd *exec.Cmd) error {
	out, stdout, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("open pipe: %w", err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = stdout, stdout
	err = cmd.Start()
	stdout.Close()
	if err != nil {
		return fmt.Errorf("start supervisor: %w", err)
	}
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "READY" {
			return nil
		}
		said.WriteString(lines.Text() + "\n")
	}
	return fmt.Errorf("cluster did not start:\n%s", said.String())
}

// run runs one of PostgreSQL's client programs against the cluster's maintenance database.
func (c *cluster) run(program string, args ...string) error {
	args = append([]string{"--host=" + c.dir, "--username=" + owner, "--no-password", "--maintenance-db=postgres"}, args...)
	cmd := exec.Command(filepath.Join(c.bin, program), args...)
	cmd.Env = environment()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("run %s: %w\n%s", program, err, out)
	}
	return nil
}

// environment keeps the caller's PG* variables and language away from PostgreSQL's programs.
func environment() []string {
	return []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C"}
}

// programs finds the folder of the newest PostgreSQL that is installed: Debian keeps its server programs off PATH.
func programs() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", fmt.Errorf("look for initdb: %w", err)
	}
	newest, folder := 0, ""
	for _, path := range found {
		bin := filepath.Dir(path)
		if version, err := strconv.Atoi(filepath.Base(filepath.Dir(bin))); err == nil && version > newest {
			newest, folder = version, bin
		}
	}
	if newest >= oldest {
		return folder, nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", fmt.Errorf("find PostgreSQL %d or newer: %w", oldest, err)
	}
	return filepath.Dir(path), nil
}

// unprivileged is the account that the cluster runs as when the tests run as root.
func unprivileged() (*syscall.Credential, error) {
	who, err := user.Lookup("postgres")
	if err != nil {
		if who, err = user.Lookup("nobody"); err != nil {
			return nil, fmt.Errorf("find an unprivileged account: %w", err)
		}
	}
	uid, err := strconv.ParseUint(who.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read user id of %s: %w", who.Username, err)
	}
	gid, err := strconv.ParseUint(who.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read group id of %s: %w", who.Username, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
