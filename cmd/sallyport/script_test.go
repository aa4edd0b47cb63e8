package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sallyport/internal/qr"
	"sallyport/internal/server"
	"sallyport/internal/store/storetest/pgtest"
)

// TestMain lets scripts call this program as sallyport.
func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"sallyport": main}) }

// TestScripts runs testdata/script: what the commands print and how they end. Besides testscript's own commands:
//
//	taken NAME         occupies a port of this machine; $NAME is its number
//	free NAME          $NAME is a port that nobody uses
//	database NAME      $NAME is the URL of an empty PostgreSQL database
//	ready DIR NAME     waits until the server of a data directory is ready; $NAME is its address. DIR may be a pattern
//	get URL STATUS     fetches a page without following it, and prints it
//	send METHOD URL TOKEN FILE STATUS   sends a file with a bearer token, and prints the answer
//	hang URL           begins a request and never ends it
//	terminate          sends SIGTERM to what runs in the background
//	drawn FILE TEXT    fails unless FILE shows the QR code of TEXT, once and whole
//	otpauth NAME DIR   $NAME is what an authenticator app reads for the first person of a sample world
//	receive NAME FILE SECRETFILE   starts a receiver of events: see there
//	setenv FILE        sets NAME=VALUE of a file
//	tamper DIR ACCOUNT NAME  changes roles of an account in the database of a stopped server, and adds one
//	passkeys DIR NAME…   adds users with a password and a passkey to a sample world
//	open DIR OPENER APPROVER  opens the emergency access of a sample world; $OPENING is the opening's id
//	s3 NAME BUCKET SECRETFILE      starts an S3 server with a bucket; $NAME is its URL
//	trailed DIR BUCKET URL         makes a trail, and waits until that server has two of its digests
//	within DURATION    fails when more time than that has passed since the last hang
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"taken": taken, "free": free, "ready": ready, "get": get, "send": send, "hang": hang, "within": within, "terminate": terminate,
			"tamper": tamper, "drawn": drawn, "otpauth": otpauth, "setenv": setenv, "receive": receive,
			"s3": s3, "trailed": trailed,
			"passkeys": passkeys, "open": openEmergency,
			"database": func(ts *testscript.TestScript, _ bool, args []string) { ts.Setenv(args[0], pgtest.NewDatabase(t)) },
		},
	})
}

// patience is how long a server may take to start on a busy machine.
const patience = 30 * time.Second

func send(ts *testscript.TestScript, _ bool, args []string) {
	r, err := http.NewRequest(args[0], args[1], strings.NewReader(ts.ReadFile(args[3])))
	ts.Check(err)
	r.Header.Set("Authorization", "Bearer "+args[2])
	r.Header.Set("Content-Type", "application/scim+json")
	res, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	ts.Check(err)
	if strconv.Itoa(res.StatusCode) != args[4] {
		ts.Fatalf("%s %s: %s %s", args[0], args[1], res.Status, body)
	}
	fmt.Fprintf(ts.Stdout(), "%s\n", body)
}

func taken(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], port(l))
}

func free(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], port(l))
	ts.Check(l.Close())
}

func port(l net.Listener) string { return strconv.Itoa(l.Addr().(*net.TCPAddr).Port) }

func ready(ts *testscript.TestScript, _ bool, args []string) {
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		endpoint, err := readyAt(ts.MkAbs(args[0]))
		if err == nil {
			ts.Setenv(args[1], endpoint)
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("server of %s is not ready: %v", args[0], err)
		}
	}
}

func readyAt(pattern string) (endpoint string, err error) {
	dirs, err := filepath.Glob(pattern)
	if err != nil || len(dirs) != 1 {
		return "", fmt.Errorf("%d folders match %s", len(dirs), pattern)
	}
	world, err := server.ReadWorldFile(dirs[0])
	if err != nil {
		return "", err
	}
	res, err := http.Get(world.Endpoint + "/readyz")
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("readyz is %d", res.StatusCode)
	}
	return world.Endpoint, nil
}

func get(ts *testscript.TestScript, _ bool, args []string) {
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Get(args[0])
	ts.Check(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	ts.Check(err)
	if got := strconv.Itoa(res.StatusCode); got != args[1] {
		ts.Fatalf("%s is %s, want %s:\n%s", args[0], got, args[1], body)
	}
	fmt.Fprint(ts.Stdout(), string(body))
}

func hang(ts *testscript.TestScript, _ bool, args []string) {
	u, err := url.Parse(args[0])
	ts.Check(err)
	conn, err := net.Dial("tcp", u.Host)
	ts.Check(err)
	ts.Defer(func() { conn.Close() })
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n", u.RequestURI(), u.Host)
	ts.Check(err)
	line, err := bufio.NewReader(conn).ReadString('\n') // the handler waits for the body now
	ts.Check(err)
	if !strings.HasPrefix(line, "HTTP/1.1 100") {
		ts.Fatalf("server did not wait for the body: %s", line)
	}
	ts.Setenv("SINCE", time.Now().Format(time.RFC3339Nano))
}

func drawn(ts *testscript.TestScript, _ bool, args []string) {
	want, err := qr.Terminal(args[1]) // whose own test reads it back
	ts.Check(err)
	if got := ts.ReadFile(args[0]); strings.Count(got, want) != 1 || strings.Count(got, "\x1b") != strings.Count(want, "\x1b") {
		ts.Fatalf("%s does not show the code of %s:\n%s", args[0], args[1], got)
	}
}

func otpauth(ts *testscript.TestScript, _ bool, args []string) {
	world, err := server.ReadWorldFile(ts.MkAbs(args[1]))
	ts.Check(err)
	first := world.Users[0]
	ts.Setenv(args[0], "otpauth://totp/Sallyport:"+first.UserName+"?secret="+first.TOTPSecret+"&issuer=Sallyport")
}

func setenv(ts *testscript.TestScript, _ bool, args []string) {
	name, value, _ := strings.Cut(ts.ReadFile(args[0]), "=")
	ts.Setenv(name, strings.TrimSpace(value))
}

func terminate(ts *testscript.TestScript, _ bool, _ []string) {
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(syscall.SIGTERM))
	}
}

func within(ts *testscript.TestScript, _ bool, args []string) {
	limit, err := time.ParseDuration(args[0])
	ts.Check(err)
	since, err := time.Parse(time.RFC3339Nano, ts.Getenv("SINCE"))
	ts.Check(err)
	if took := time.Since(since); took > limit {
		ts.Fatalf("%v have passed, more than %v", took, limit)
	}
}
