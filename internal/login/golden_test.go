package login_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/login"
	"sallyport/internal/passkey/passkeytest"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/totp"
)

var update = flag.Bool("update", false, "write the golden events anew")

// flows are the ways in, and the ways that end outside. Each begins in a world of its own, where alice has a password.
var flows = map[string]func(w *world){
	"password": func(w *world) {
		w.set("mfa.mode", setting.Off)
		w.enter(password, &login.Browser{Origin: here.Origin})
	},
	"password-app": func(w *world) {
		seed := w.app()
		w.finish(w.giveCode(w.give(w.claim("alice", here), password, here), w.code(seed), here), here)
	},
	"password-passkey": func(w *world) {
		key := w.key("alice")
		w.mark()
		id := w.give(w.claim("alice", here), password, here)
		w.finish(w.givePasskey(id, key.Get(w.options(id))), here)
	},
	"passkey": func(w *world) {
		key := w.key("alice")
		w.mark()
		id := w.alone()
		w.finish(w.givePasskey(id, key.Get(w.options(id))), here)
	},
	"mail-code": func(w *world) {
		w.set("mfa.without-device", setting.Email)
		mail := w.mailbox()
		id := w.give(w.claim("alice", here), password, here)
		w.send(id, false)
		w.finish(w.giveMailCode(id, codeInLetter.FindString(mail(1)[0].Text)), here)
	},
	"first-sign-in": func(w *world) { // one-time password, a device that must be registered, a new password
		id := w.give(w.claim("alice", here), w.giveOneTime(), here)
		id = w.givePasskey(id, passkeytest.New(origin).Create(w.options(id)))
		w.finish(w.choose(id, chosen, chosen), here)
	},
	"first-app": func(w *world) {
		w.set("mfa.first-device", setting.Password)
		id := w.give(w.claim("alice", here), password, here)
		app, err := w.NewApp(w.t.Context(), id)
		if err != nil {
			w.t.Fatal(err)
		}
		seed, err := totp.ParseSeed(app.Secret)
		if err != nil {
			w.t.Fatal(err)
		}
		if id, err = w.RegisterApp(w.t.Context(), id, w.code(seed), "", here); err != nil {
			w.t.Fatal(err)
		}
		w.finish(id, here)
	},
	"invitation": func(w *world) {
		w.set("mfa.mode", setting.Off)
		w.finish(w.choose(w.follow(w.invite()), chosen, chosen), here)
	},
	"forgotten-password": func(w *world) {
		w.set("mfa.mode", setting.Off)
		w.finish(w.choose(w.follow(w.reset()), chosen, chosen), here)
	},
	"wrong-password": func(w *world) { w.give(w.claim("alice", here), "wrong", here) },
	"wrong-code": func(w *world) {
		seed := w.app()
		w.giveCode(w.give(w.claim("alice", here), password, here), w.wrongCode(seed), here)
	},
	"wrong-passkey": func(w *world) {
		key := w.key("alice")
		w.mark()
		key.ImpostorKeys = true
		id := w.alone()
		w.givePasskey(id, key.Get(w.options(id)))
	},
	"nobody": func(w *world) { w.give(w.claim("hunter2-typed-here", here), "wrong", here) },
	"locked": func(w *world) {
		id := w.claim("alice", here)
		for range 6 {
			w.give(id, "wrong", here)
		}
		w.clock.Advance(time.Minute)
		w.give(id, password, here)
	},
}

// TestGoldenEvents holds what each way in leaves in the log, whole, against a file: behaviour reference §10.4 and 10.5 by example.
func TestGoldenEvents(t *testing.T) {
	t.Parallel()
	for name, flow := range flows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newMFAWorld(t)
			flow(w)
			got, file := w.golden(), filepath.Join("testdata", "events", name+".jsonl")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// mark leaves what is on record so far out of the golden events.
func (w *world) mark() {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		return tx.AppendEvent(store.Event{ID: marker, At: tx.Now(), JSON: []byte("{}")})
	})
}

const marker = "marker"

var anyUUID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// golden is the log, an event a line, with ids as numbers: the same id has the same number, so that it is seen what joins events.
func (w *world) golden() string {
	w.t.Helper()
	var out strings.Builder
	w.update(func(tx *store.Tx) error {
		all, err := tx.AuditLog(0, 1000)
		for _, e := range all {
			if e.ID == marker {
				out.Reset()
				continue
			}
			out.Write(append(e.JSON, '\n'))
		}
		return err
	})
	names := map[string]string{}
	return anyUUID.ReplaceAllStringFunc(out.String(), func(id string) string {
		if names[id] == "" {
			names[id] = fmt.Sprintf("id-%d", len(names)+1)
		}
		return names[id]
	})
}
