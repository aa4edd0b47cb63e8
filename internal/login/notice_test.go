package login_test

import (
	"errors"
	"testing"

	"sallyport/internal/login"
	"sallyport/internal/page"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// TestDisown: "this was not me" takes the new device away, and everything that somebody else might hold.
func TestDisown(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	mail := w.mailbox()
	w.set("mfa.first-device", setting.Password)
	mine := w.give(w.claim("alice", here), password, here)
	_, mine = w.enrol(mine)
	in := w.finish(mine, here)
	invitation := w.invite()
	pending := w.give(w.claim("alice", here), password, here)
	token := w.token(linkInLetter.FindString(mail(1)[0].Text))
	w.update(func(tx *store.Tx) error { return w.FollowDisowning(tx, token, here) })
	w.devices(0)
	w.gone(pending)
	w.dead(invitation)
	w.update(func(tx *store.Tx) error {
		if _, err := w.Sessions.Portal(tx, string(in.Cookie)); err == nil {
			t.Error("the session is there still")
		}
		if err := w.FollowDisowning(tx, token, here); !errors.Is(err, login.ErrNoLink) {
			t.Errorf("the link works twice: %v", err)
		}
		return nil
	})
	w.expect(w.give(w.claim("alice", here), password, here), login.AskPassword, true) // nor does the password
	found := false
	for _, l := range lines(w.events(0)) {
		found = found || l == "DisownNotice"
	}
	if !found {
		t.Errorf("the events are %v", lines(w.events(0)))
	}
}

// TestDisowningIsForItsPerson: a link of another purpose does nothing, and a link of one purpose is none of another.
func TestDisowningIsForItsPerson(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	invitation := w.invite()
	bob := w.addUser("bob")
	w.update(func(tx *store.Tx) error {
		if err := w.FollowDisowning(tx, invitation, here); !errors.Is(err, login.ErrNoLink) {
			t.Errorf("an invitation disowns: %v", err)
		}
		return w.Notify(tx, store.Notice{UserID: w.user.ID, Kind: store.PasswordChanged, IP: here.IP})
	})
	w.update(func(tx *store.Tx) error {
		all, _, err := tx.Notices(w.user.ID, page.Query{Limit: 10})
		if err != nil || len(all) != 1 {
			t.Fatalf("%d notices, %v", len(all), err)
		}
		if err := w.Disown(tx, bob.ID, all[0].ID, here); err == nil {
			t.Error("bob disowned what alice was told")
		}
		return nil
	})
	w.follow(invitation)
}
