package server

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/config"
	"sallyport/internal/directory"
	"sallyport/internal/revocation"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// TestStories runs testdata/script on each engine. A script tells one story of people and clients before a whole server:
//
//	call WHO SERVICE OPERATION [JSON | @FILE]   signs and sends; prints the answer, or with ! the error as CODE STATUS: MESSAGE, and Retry-After
//	times N WHO SERVICE OPERATION [JSON]        is N such calls
//	bind NAME PATH                              names a value of the last answer, such as Groups.0.GroupId, from now on
//	show                                        prints the last answer again, with names where values were
//	settle                                      does all provisioning and revoking that is due
//	advance DURATION                            moves the clock
//	signin USER SESSION                         a person signs in in a browser and approves a client, which gets tokens
//	refresh SESSION                             the client gets new tokens
//	signout SESSION                             the person signs out in the browser
//	credentials SESSION ACCOUNT SET NAME        the client gets role credentials; NAME is a WHO from now on
//	confirm SESSION                             the person uses their second factor again in the browser
//	policy ACCOUNT PATH NAME FILE               an account gets a customer managed policy
//	status USER STATUS                          disables or enables a person, which no API of AWS's does
//	transmitter NAME                            lets the signals of an identity provider elsewhere act
//	signal TRANSMITTER EVENT USER               it pushes one, such as session-revoked
//	tally                                       counts what was given out so far in the usage ledger
//	moment NAME [OFFSET]                        names the present time, or one before or after it
//	event NAME                                  prints the latest audit event of that name
//	events                                      prints the audit log so far, one line an event
//
// WHO is operator, elsewhere (an administrator of a member account), forger (a key that nobody has), nobody, a SESSION or a
// NAME. InstanceArn and IdentityStoreId are filled in where an input has them and a script does not say. In JSON and in
// words, $NAME stands for what is bound. When a story is over, checkBooks looks at what it has left behind.
func TestStories(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		for _, file := range files {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
				t.Parallel()
				s := newStory(t, open)
				testscript.Run(t, testscript.Params{
					Files: []string{file}, UpdateScripts: *update, RequireUniqueNames: true,
					Setup: func(e *testscript.Env) error { return s.begin(e) },
					Cmds:  s.commands(),
				})
			})
		}
	})
}

// story is a server whose workers do their work when they are told, so that what lies between is seen.
type story struct {
	*Server
	client
	clock *clocktest.Clock
	web   *httptest.Server
	logs  *logBuffer

	names    map[string]string // name → value
	callers  map[string]caller
	sessions map[string]*clientSession
	secrets  map[string]string // whatever was handed out → what it is

	transmitters map[string]transmitter
	signals      int // that they have pushed

	calls []made
	last  any    // answer
	retry string // Retry-After of the last answer
}

// made is a call that the story made: what the books are held against.
type made struct {
	requestID, operation, code string
	recorded                   bool // must have exactly one event; otherwise none
}

func newStory(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) *story {
	t.Helper()
	s := &story{
		clock: clocktest.At(time.Unix(1_800_000_000, 0)), logs: &logBuffer{},
		names: map[string]string{}, callers: map[string]caller{}, sessions: map[string]*clientSession{}, secrets: map[string]string{},
		transmitters: map[string]transmitter{},
	}
	s.web = httptest.NewUnstartedServer(nil)
	s.Server = openServer(t, open(t, s.clock), "http://"+s.web.Listener.Addr().String())
	s.log = slog.New(slog.NewJSONHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.gate.Within(5 * revocation.Bound) // a machine that is busy with other tests is not what stories are about
	s.api.Log, s.pages.Log, s.worker.Log, s.revoker.Log, s.api.Recorder.Log = s.log, s.log, s.log, s.log, s.log
	s.web.Config.Handler = s.handler()
	s.web.Start()
	s.client = client{s.web.URL, s.web.Client(), s.clock, s.Server.instance}
	s.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	ctx, stop := context.WithCancel(context.Background())
	polling := make(chan struct{})
	go func() { defer close(polling); s.gate.Run(ctx, s.log) }()
	t.Cleanup(func() {
		s.web.Close()
		s.checkBooks(t)
		stop()
		<-polling
		if err := s.file.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// openServer builds a server over a sample organization.
func openServer(t *testing.T, db *store.DB, url string) *Server {
	t.Helper()
	dir := t.TempDir()
	cfg := &config.Config{
		Data: dir, URL: url, Region: "us-east-1", Dev: true, LogLevel: "error",
		KeyFile: filepath.Join(dir, "key"), AuditFile: filepath.Join(dir, "audit.jsonl"), TrailDir: filepath.Join(dir, "trails"), Listen: strings.TrimPrefix(url, "http://"),
	}
	s, err := open(t.Context(), cfg, db, sampleBlueprint("us-east-1", 0))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// begin makes the callers and the people of the sample world. The people have no passwords: no story types one.
func (s *story) begin(to binder) error {
	ctx := context.Background()
	s.callers["nobody"] = caller{}
	s.callers["forger"] = caller{keys: signer{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}}
	err := operatorKey(ctx, s.db, s.ring, s.Server.instance.Owner, func(k OperatorKey) error {
		s.secrets[k.SecretAccessKey] = "operator's secret"
		s.callers["operator"] = caller{keys: signer{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey}}
		return nil
	})
	if err != nil {
		return err
	}
	elsewhere, err := administratorOf(ctx, s.Server, "444455556666")
	if err != nil {
		return err
	}
	s.callers["elsewhere"] = caller{keys: elsewhere}
	s.bind(to, "management", string(sampleManagement))
	s.bind(to, "security", string(sampleMember))
	s.bind(to, "production", "444455556666")
	s.bind(to, "instance", s.Server.instance.ID.ARN())
	s.bind(to, "store", string(s.Server.instance.StoreID))
	return s.people(ctx, to)
}

func (s *story) people(ctx context.Context, to binder) error {
	ids := map[string]string{}
	groups := []SampleGroup{
		{DisplayName: "Security auditors", GroupID: sampleGroup, Members: []string{"alice"}},
		{DisplayName: "Developers", GroupID: "0f0e0d0c-0b0a-4908-8706-050403020100", Members: []string{"alice", "bob"}},
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		for _, name := range []string{"alice", "bob"} {
			u, err := directory.CreateUser(tx, store.User{StoreID: sampleStore, UserName: name, DisplayName: name, UserAttrs: store.UserAttrs{
				Name: store.Name{GivenName: name, FamilyName: name}, Emails: []store.TypedValue{{Value: name + "@sallyport.invalid", Type: "work", Primary: true}},
			}}, byDev)
			if err != nil {
				return fmt.Errorf("create %s: %w", name, err)
			}
			ids[name] = u.ID
		}
		return sampleGroups(tx, groups, ids)
	})
	if err != nil {
		return err
	}
	for name, id := range ids {
		s.bind(to, name, id)
	}
	s.bind(to, "auditors", groups[0].GroupID)
	s.bind(to, "developers", groups[1].GroupID)
	return nil
}

// logBuffer keeps what the server logs.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
