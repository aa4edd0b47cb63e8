package login_test

import (
	"testing"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/login"
	"sallyport/internal/store"
)

// TestForgotPassword: the letter goes to who is there and enabled, seldom, and opens the reset.
func TestForgotPassword(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	seed := w.app()
	ctx := t.Context()
	if err := w.ForgotPassword(ctx, "alice", here); fault.KindOf(err) != fault.Conflict {
		t.Errorf("without a mail server: %v", err)
	}
	mail := w.mailbox()
	carol := w.addUser("carol") // has no address
	ask := func(name string) {
		t.Helper()
		if err := w.ForgotPassword(ctx, name, here); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{" ALICE ", "nobody", carol.UserName} {
		ask(name)
	}
	if n, err := w.SendResets(ctx, "test"); n != 3 || err != nil {
		t.Errorf("%d names were looked for, %v", n, err)
	}
	letter := mail(1)[0]
	id := w.follow(w.token(linkInLetter.FindString(letter.Text)))
	w.expect(id, login.AskMFA, false)
	ask("alice") // again, too soon
	if _, err := w.SendResets(ctx, "test"); err != nil {
		t.Fatal(err)
	}
	mail(1)
	w.clock.Advance(2 * time.Minute)
	ask("alice")
	if _, err := w.SendResets(ctx, "test"); err != nil {
		t.Fatal(err)
	}
	link := linkInLetter.FindString(mail(2)[1].Text)
	id = w.giveCode(w.follow(w.token(link)), w.code(seed), here)
	w.finish(w.choose(id, chosen, chosen), here)
	mail(3) // that the password was changed

	w.update(func(tx *store.Tx) error { return w.Disable(tx, w.user.ID, "test") })
	w.clock.Advance(time.Hour)
	ask("alice")
	if _, err := w.SendResets(ctx, "test"); err != nil {
		t.Fatal(err)
	}
	mail(3)
	if err := w.ForgotPassword(ctx, "al\x00ice", here); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a name that cannot be: %v", err)
	}
	seen := 0
	for _, l := range lines(w.events(0)) {
		if l == "SendPasswordReset" {
			seen++
		}
	}
	if seen != 2 {
		t.Errorf("%d resets are on record, want 2", seen)
	}
}

// TestLinkByMail: whoever asked for it does not see it.
func TestLinkByMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.update(func(tx *store.Tx) error {
		if _, err := w.Invite(tx, w.user.ID, true); fault.KindOf(err) != fault.Conflict {
			t.Errorf("without a mail server: %v", err)
		}
		return nil
	})
	mail := w.mailbox()
	carol := w.addUser("carol")
	w.update(func(tx *store.Tx) error {
		if _, err := w.Invite(tx, carol.ID, true); fault.KindOf(err) != fault.Conflict {
			t.Errorf("without an address: %v", err)
		}
		d, err := w.Invite(tx, w.user.ID, true)
		if d.Link != "" || d.SentTo != address || !d.ExpiresAt.Equal(w.clock.Now().Add(7*24*time.Hour)) {
			t.Errorf("delivered: %+v", d)
		}
		return err
	})
	w.expect(w.follow(w.token(linkInLetter.FindString(mail(1)[0].Text))), login.AskNewPassword, false)
}
