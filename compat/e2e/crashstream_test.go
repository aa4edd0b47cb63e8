package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"sallyport/internal/store/storetest/pgtest"
)

const (
	streamRate   = 500 // events a second while processes are killed
	streamWrites = 20  // of them: groups, whose events are durable before they are acknowledged
	streamSecret = "the-secret-of-the-receiver"
)

// The test binary is also the receiver that is killed: with receiverEnv it is nothing else.
const receiverEnv = "SALLYPORT_TEST_RECEIVER" // ADDRESS FILE

func init() {
	if where := os.Getenv(receiverEnv); where != "" {
		address, file, _ := strings.Cut(where, " ")
		fmt.Println("the receiver ends:", receiveEvents(address, file))
		os.Exit(1)
	}
}

// receiveEvents appends what it is sent to a file, after the key of each batch, and answers when it is safe there.
func receiveEvents(address, file string) error {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	had, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	size := int64(bytes.LastIndexByte(had, '\n') + 1)
	if err := f.Truncate(size); err != nil { // half a line, of when it was killed
		return err
	}
	if _, err := f.Seek(size, io.SeekStart); err != nil {
		return err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println("receiving")
	var mu sync.Mutex
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		signature := r.Header.Get("X-Sallyport-Signature")
		t, _, _ := strings.Cut(strings.TrimPrefix(signature, "t="), ",")
		m := hmac.New(sha256.New, []byte(streamSecret))
		m.Write([]byte(t + "." + string(body)))
		if signature != "t="+t+",v1="+hex.EncodeToString(m.Sum(nil)) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, err = fmt.Fprintf(f, "%s\n%s", r.Header.Get("Idempotency-Key"), body)
		if err = errors.Join(err, f.Sync()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
}

// streamReceiver is a receiver in a process of its own.
type streamReceiver struct {
	*process
	tb            testing.TB
	address, file string
}

func (r *streamReceiver) start() {
	r.tb.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), receiverEnv+"="+r.address+" "+r.file)
	r.process = start(r.tb, cmd)
	r.find(`(?m)^receiving$`)
}

// TestCrashStream kills the server and the receiver of its events at random moments, at 500 events a second. The receiver has in the end
// exactly what the log has, in its order; what it has been sent twice is the same, byte for byte, and in the same batches.
func TestCrashStream(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		crashStream(t, max(1, crashes(t)/2))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		crashStream(t, max(1, crashes(t)/2), "--database", pgtest.NewDatabase(t))
	})
}

func crashStream(t *testing.T, kills int, args ...string) {
	s := startDev(t, args...)
	s.cli("settings", "set", "limits.mode", "relaxed")
	r := s.streamTo()
	ctx, stop := context.WithCancel(t.Context())
	load := s.load(ctx)
	began, awake := time.Now(), time.Duration(0)
	for range kills {
		up := time.Now()
		time.Sleep(200*time.Millisecond + rand.N(700*time.Millisecond))
		awake += time.Since(up)
		who := rand.N(3)
		if who != 0 {
			s.kill()
		}
		if who != 1 {
			r.kill()
		}
		if who != 1 {
			r.start()
		}
		if who != 0 {
			s.start()
		}
	}
	stop()
	acknowledged := load.wait()
	t.Logf("%d kills in %v; %.0f calls a second while the server was there; %d groups acknowledged", kills, time.Since(began).Round(time.Second),
		float64(load.calls.Load())/awake.Seconds(), len(acknowledged))
	time.Sleep(500 * time.Millisecond) // what is not durable before it is answered is in the log by now
	s.awaitStream(r, acknowledged)
	s.stop()
}

// TestCrashStreamNodes: of two nodes on one database the one that ships is killed, and the other goes on; then that one is stopped in good
// order, and the first takes it back. Each node's own file has the whole log.
func TestCrashStreamNodes(t *testing.T) {
	t.Parallel()
	first := startDev(t, "--database", pgtest.NewDatabase(t))
	first.cli("settings", "set", "limits.mode", "relaxed")
	second := first.otherNode()
	r := first.streamTo()
	for round, nodes := range [][2]*server{{first, second}, {second, first}} {
		ctx, stop := context.WithCancel(t.Context())
		load := nodes[1].load(ctx)
		time.Sleep(time.Second)
		if round == 0 {
			nodes[0].kill()
		} else {
			nodes[0].stop()
		}
		time.Sleep(time.Second)
		stop()
		acknowledged := load.wait()
		if len(acknowledged) == 0 {
			t.Error("nothing was acknowledged")
		}
		nodes[1].awaitStream(r, acknowledged)
		nodes[0].start()
	}
}

// otherNode is another server over the same database.
func (s *server) otherNode() *server {
	s.tb.Helper()
	other := &server{tb: s.tb, dir: s.tb.TempDir()}
	for _, file := range []string{"key", "dev.json"} {
		raw, err := os.ReadFile(filepath.Join(s.dir, file))
		if err == nil {
			err = os.WriteFile(filepath.Join(other.dir, file), raw, 0o600)
		}
		if err != nil {
			s.tb.Fatal(err)
		}
	}
	other.args = append([]string{"dev", "--data", other.dir, "--listen", freeAddress(s.tb)}, s.args[5:]...)
	other.start()
	return other
}

// streamTo starts a receiver, and has all of the log sent to it.
func (s *server) streamTo() *streamReceiver {
	s.tb.Helper()
	r := &streamReceiver{tb: s.tb, address: freeAddress(s.tb), file: filepath.Join(s.tb.TempDir(), "received")}
	r.start()
	secret := filepath.Join(s.tb.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(streamSecret), 0o600); err != nil {
		s.tb.Fatal(err)
	}
	s.cli("sinks", "add", "siem", "--url", "http://"+r.address, "--secret-file", secret, "--option", "body=ndjson", "--from-start")
	return r
}

// streamLoad is what makes events.
type streamLoad struct {
	calls  atomic.Int64 // that were answered
	busy   sync.WaitGroup
	mu     sync.Mutex
	groups []string // that were acknowledged
}

func (l *streamLoad) wait() []string {
	l.busy.Wait()
	return l.groups
}

// load calls the server at streamRate, whether it is there or not, until ctx ends.
func (s *server) load(ctx context.Context) *streamLoad {
	s.tb.Helper()
	l := &streamLoad{}
	who := sts.NewFromConfig(s.operatorConfig(), func(o *sts.Options) { o.Retryer = aws.NopRetryer{} })
	people := identitystore.NewFromConfig(s.operatorConfig(), func(o *identitystore.Options) { o.Retryer = aws.NopRetryer{} })
	mine := rand.N(1 << 30)
	store := s.IdentityStoreID // a copy: what the server says of itself is read anew when it is started again
	turns := make(chan int)
	l.busy.Go(func() {
		defer close(turns)
		every := time.NewTicker(time.Second / streamRate)
		defer every.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-every.C:
				turns <- n
			}
		}
	})
	for range 16 {
		l.busy.Go(func() {
			for n := range turns {
				var err error
				if n%(streamRate/streamWrites) == 0 {
					var out *identitystore.CreateGroupOutput
					out, err = people.CreateGroup(ctx, &identitystore.CreateGroupInput{IdentityStoreId: &store, DisplayName: aws.String(fmt.Sprint("stream ", mine, " ", n))})
					if err == nil {
						l.mu.Lock()
						l.groups = append(l.groups, *out.GroupId)
						l.mu.Unlock()
					}
				} else {
					_, err = who.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
				}
				if err == nil {
					l.calls.Add(1)
				}
			}
		})
	}
	return l
}

// awaitStream waits until the log tells of what was acknowledged, and the receiver has all that the log's file has then, and compares the two.
func (s *server) awaitStream(r *streamReceiver, acknowledged []string) {
	s.tb.Helper()
	want := s.awaitGroups(acknowledged)
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		raw, err := os.ReadFile(r.file)
		if err != nil {
			s.tb.Fatal(err)
		}
		got := s.received(raw)
		if len(got) >= len(want) {
			for i, line := range want {
				if !bytes.Equal(line, got[i]) {
					s.tb.Fatalf("event %d:\n%s%s", i+1, line, got[i])
				}
			}
			return
		}
		if time.Now().After(end) {
			s.tb.Fatalf("the receiver has %d of %d events:\n%s", len(got), len(want), s.cli("sinks", "show", "siem"))
		}
	}
}

// awaitGroups waits until the log's file tells of all groups, and returns its lines.
func (s *server) awaitGroups(groups []string) [][]byte {
	s.tb.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		raw, err := os.ReadFile(filepath.Join(s.dir, "audit.jsonl"))
		if err != nil {
			s.tb.Fatal(err)
		}
		lines := bytes.SplitAfter(raw[:bytes.LastIndexByte(raw, '\n')+1], []byte("\n"))
		lines = lines[:len(lines)-1]
		told := map[string]bool{}
		for _, line := range lines {
			var e struct {
				EventName        string
				ResponseElements struct{ GroupID string }
			}
			if err := json.Unmarshal(line, &e); err != nil {
				s.tb.Fatal(err)
			}
			told[e.ResponseElements.GroupID] = true
		}
		missing := 0
		for _, id := range groups {
			if !told[id] {
				missing++
			}
		}
		if missing == 0 {
			return lines
		}
		if time.Now().After(end) {
			s.tb.Fatalf("%d of %d groups were acknowledged, and their events are lost", missing, len(groups))
		}
	}
}

// received is what the receiver was sent, each event once, and checks what came twice.
func (s *server) received(raw []byte) (got [][]byte) {
	s.tb.Helper()
	twice := 0
	batches, key := map[string][]byte{}, ""
	var batch []byte
	flush := func() {
		if was, known := batches[key]; known && !bytes.HasPrefix(was, batch) && !bytes.HasPrefix(batch, was) { // one may have been cut off by a kill
			s.tb.Fatalf("two batches have the key %s", key)
		}
		if len(batch) > len(batches[key]) {
			batches[key] = batch
		}
		batch = nil
	}
	for lines := bufio.NewReader(bytes.NewReader(raw)); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil { // what follows the last end of line is still being written
			flush()
			s.tb.Logf("%d batches, %d events, of which %d came twice", len(batches), len(got)+twice, twice)
			return got
		}
		if line[0] != '{' {
			flush()
			key = string(line)
			continue
		}
		batch = append(batch, line...)
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			s.tb.Fatalf("%v: %s", err, line)
		}
		switch n := int(e.Sallyport.Seq); {
		case n == len(got)+1:
			got = append(got, line)
		case n > len(got)+1:
			s.tb.Fatalf("event %d follows event %d", n, len(got))
		default:
			if twice++; !bytes.Equal(got[n-1], line) {
				s.tb.Fatalf("event %d was another one the first time:\n%s%s", n, got[n-1], line)
			}
		}
	}
}
