package server

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/internal/clock"
	"sallyport/internal/config"
	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
	"sallyport/internal/store/storetest/pgtest"
)

// lives is a deployment that is stopped, copied, restored and started again.
type lives struct {
	*nodes
	cfg  *config.Config
	stop func()
}

func newLives(t *testing.T, database string) *lives {
	dir := t.TempDir()
	l := &lives{cfg: &config.Config{
		Data: dir, URL: "http://localhost", Region: "us-east-1", Dev: true, LogLevel: "error", Listen: "localhost:80", Database: database,
		KeyFile: filepath.Join(dir, "key"), AuditFile: filepath.Join(dir, "audit.jsonl"), TrailDir: filepath.Join(dir, "trails"),
	}}
	l.nodes = &nodes{crowd: &crowd{t: t}}
	l.start()
	err := operatorKey(t.Context(), l.server.db, l.server.ring, l.instance.Owner, func(k OperatorKey) error {
		l.operator = caller{keys: signer{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey}}
		return nil
	})
	l.must(err)
	l.must(l.found())
	return l
}

// start starts the server. Of what there was before, what callers know is kept.
func (l *lives) start() {
	l.t.Helper()
	db, err := store.Open(l.t.Context(), l.cfg.DSN(), clock.System{})
	l.must(err)
	s, err := open(l.t.Context(), l.cfg, db, sampleBlueprint("us-east-1", 0))
	l.must(err)
	web := httptest.NewServer(s.handler())
	ctx, end := context.WithCancel(context.Background())
	done := s.work(ctx)
	l.client, l.server, l.crowd.ctx = &client{web.URL, web.Client(), clock.System{}, s.instance}, s, l.t.Context()
	l.all = []*crowd{l.crowd}
	l.stop = func() { web.Close(); end(); <-done; l.must(db.Close()) }
}

// TestNothingIsGoodAgain: a database is brought back from a backup beside an audit file that is newer. After the command nothing that
// works once, or may have been revoked since, is good; the log goes on, and so does the deployment.
func TestNothingIsGoodAgain(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]func(*testing.T) string{
		"SQLite":     func(*testing.T) string { return "" },
		"PostgreSQL": func(t *testing.T) string { return storetest.NewPostgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLives(t, database(t))
			l.must(l.assign("Create", 0, "GROUP", l.groups[0]))
			m, guest := l.join("ana", l.groups[0]), l.guest("guest")
			l.vendFor(m, 0, 0)
			if err := Restored(t.Context(), l.cfg, nil); fault.KindOf(err) != fault.Conflict {
				t.Errorf("beside a server: %v", err)
			}
			l.stop()
			back := l.backup()
			l.start()
			_, err := l.admin("sallyport", "EndAllSessions", "{}")
			l.must(err)
			l.stop()
			back()

			told := l.restored()
			if !strings.Contains(told, "audit.jsonl is newer than the backup") || !strings.Contains(told, "- Operator's keys switched off: 1.") ||
				!strings.Contains(told, "resets that are void: 1; one-time passwords: 1.") {
				t.Errorf("told is:\n%s", told)
			}
			l.must(os.Rename(l.cfg.AuditFile, l.cfg.AuditFile+".old"))
			if again := l.restored(); !strings.Contains(again, "- Sessions ended: 0.") || strings.Contains(again, "is newer") {
				t.Errorf("the second time it tells:\n%s", again)
			}
			l.start()
			l.nothingIsGood(m, guest)
			l.stop()
			l.logGoesOn()
		})
	}
}

// guest is somebody who was invited, with the invitation's token, and has a one-time password besides.
func (l *lives) guest(name string) (token string) {
	l.t.Helper()
	one, err := l.server.login.NewOneTime(l.t.Context())
	l.must(err)
	l.must(l.update(func(tx *store.Tx) error {
		u, err := directory.CreateUser(tx, store.User{
			StoreID: l.instance.StoreID, UserName: name, DisplayName: name, UserAttrs: store.UserAttrs{Name: store.Name{GivenName: name, FamilyName: name}},
		}, byDev)
		if err != nil {
			return err
		}
		if _, err := l.server.login.GiveOneTime(tx, u.ID, one); err != nil {
			return err
		}
		d, err := l.server.login.Invite(tx, u.ID, false)
		token = path.Base(string(d.Link))
		return err
	}))
	l.must(l.server.db.View(l.t.Context(), func(tx *store.Tx) error { _, err := l.server.login.LinkOf(tx, token); return err }))
	return token
}

// backup copies what is stopped. What it returns brings the copy's database back.
func (l *lives) backup() (back func()) {
	l.t.Helper()
	if l.cfg.Database != "" {
		copied := pgtest.NewCopy(l.t, l.cfg.Database)
		return func() { l.cfg.Database = copied }
	}
	dir := filepath.Join(l.t.TempDir(), "backup")
	l.must(os.CopyFS(dir, os.DirFS(l.cfg.Data)))
	return func() {
		files, err := filepath.Glob(l.cfg.DSN() + "*")
		l.must(err)
		for _, f := range files {
			l.must(os.Remove(f))
		}
		b, err := os.ReadFile(filepath.Join(dir, filepath.Base(l.cfg.DSN())))
		l.must(err)
		l.must(os.WriteFile(l.cfg.DSN(), b, 0o600))
	}
}

func (l *lives) restored() string {
	l.t.Helper()
	var out strings.Builder
	l.must(Restored(l.t.Context(), l.cfg, &out))
	return out.String()
}

func (l *lives) nothingIsGood(m *member, invitation string) {
	l.t.Helper()
	for what, err := range map[string]error{
		"access token":     l.try(m.bearer, "sso", "ListAccounts"),
		"role credentials": l.try(m.roles, "sts", "GetCallerIdentity"),
		"operator's key":   l.try(l.operator, "sts", "GetCallerIdentity"),
	} {
		if !refusedAs(err) {
			l.t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := l.renew(m, m.refresh); !refusedAs(err) {
		l.t.Errorf("refresh token: %v", err)
	}
	l.must(l.server.db.View(l.t.Context(), func(tx *store.Tx) error {
		if _, err := l.server.login.LinkOf(tx, invitation); err == nil {
			l.t.Error("the invitation is good")
		}
		u, err := tx.UserByName(l.instance.StoreID, "guest")
		if err != nil {
			return err
		}
		if p, err := tx.Password(u.ID); err == nil {
			l.t.Errorf("the one-time password is there: %v", p.OneTime)
		}
		return nil
	}))
	other := l.join("ben", l.groups[0])
	l.vendFor(other, 0, 0)
	l.must(l.try(other.roles, "sts", "GetCallerIdentity"))
}

// logGoesOn looks whether the file that took the newer one's place has the event of the command, first of all.
func (l *lives) logGoesOn() {
	l.t.Helper()
	b, err := os.ReadFile(l.cfg.AuditFile)
	l.must(err)
	var e struct {
		EventName string
		Details   struct {
			Last int64 `json:"last_event"`
		} `json:"serviceEventDetails"`
		Sallyport struct{ Seq int64 }
	}
	line, _, _ := strings.Cut(string(b), "\n")
	l.must(json.Unmarshal([]byte(line), &e))
	if e.EventName != "RestoreDatabase" || e.Sallyport.Seq != e.Details.Last+1 {
		l.t.Errorf("the log goes on with %s", line)
	}
}
