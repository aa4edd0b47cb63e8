package login_test

import (
	"regexp"
	"testing"
	"time"

	"sallyport/internal/login"
	"sallyport/internal/mail/mailtest"
	"sallyport/internal/setting"
)

var codeInLetter = regexp.MustCompile(`\b\d{6}\b`)

// mailCodeWorld is one in which people without a device get a code by mail.
func mailCodeWorld(t *testing.T) (w *world, mail func(int) []mailtest.Received, ask func() string) {
	t.Helper()
	w = newMFAWorld(t)
	w.set("mfa.without-device", setting.Email)
	mail = w.mailbox()
	return w, mail, func() string {
		t.Helper()
		id := w.give(w.claim("alice", here), password, here)
		w.expect(id, login.AskMailCode, false)
		return id
	}
}

func (w *world) send(id string, problem bool) {
	w.t.Helper()
	if err := w.SendMailCode(w.t.Context(), id); err != nil {
		w.t.Fatal(err)
	}
	w.expect(id, login.AskMailCode, problem)
}

func (w *world) giveMailCode(id, code string) string {
	w.t.Helper()
	id, err := w.GiveMailCode(w.t.Context(), id, code, false, here)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func TestMailCode(t *testing.T) {
	t.Parallel()
	w, mail, ask := mailCodeWorld(t)
	id, other := ask(), ask()
	w.expect(w.giveMailCode(id, "000000"), login.AskMailCode, true) // none was sent
	w.send(id, false)
	w.send(id, true) // too soon
	first := codeInLetter.FindString(mail(1)[0].Text)
	w.expect(w.giveMailCode(other, first), login.AskMailCode, true) // of another attempt
	w.clock.Advance(30 * time.Second)
	w.send(id, false)
	second := codeInLetter.FindString(mail(2)[1].Text)
	if first != second { // one in a million
		w.expect(w.giveMailCode(id, first), login.AskMailCode, true)
	}
	next := w.giveMailCode(id, " "+second[:3]+" "+second[3:])
	w.gone(id)
	w.expect(next, login.Done, false)
	w.finish(next, here)
	w.devices(0)
}

func TestMailCodeIsBounded(t *testing.T) {
	t.Parallel()
	w, mail, ask := mailCodeWorld(t)
	w.set("sign-in.free-failures", "100")
	id := ask()
	w.send(id, false)
	code := codeInLetter.FindString(mail(1)[0].Text)
	wrong := "000000"
	if code == wrong {
		wrong = "111111"
	}
	for range 5 {
		w.expect(w.giveMailCode(id, wrong), login.AskMailCode, true)
	}
	w.expect(w.giveMailCode(id, code), login.AskMailCode, true) // five tries have used it up
	for n := 2; n <= 5; n++ {
		w.clock.Advance(30 * time.Second)
		w.send(id, false)
		mail(n)
	}
	w.clock.Advance(30 * time.Second)
	w.send(id, true) // five codes are all that an attempt gets
	mail(5)

	id = ask()
	w.send(id, false)
	code = codeInLetter.FindString(mail(6)[5].Text)
	w.clock.Advance(10 * time.Minute)
	w.expect(w.giveMailCode(id, code), login.AskMailCode, true) // too old
}

// TestMailCodeIsForWhoHasNoDevice: nor for somebody without an address, or where there is no mail server.
func TestMailCodeIsForWhoHasNoDevice(t *testing.T) {
	t.Parallel()
	w, _, ask := mailCodeWorld(t)
	id := ask()
	w.app()
	w.expect(id, login.AskMFA, false) // even in an attempt that was there before
	if err := w.SendMailCode(t.Context(), id); err != nil {
		t.Error(err)
	}
	w.expect(id, login.AskMFA, false)
	w.addUser("carol")
	w.expect(w.give(w.claim("carol", here), password, here), login.Blocked, false)
	w.Mail.Server = nil
	w.addUser("dave")
	w.expect(w.give(w.claim("dave", here), password, here), login.Blocked, false)
}

func TestWithoutDevice(t *testing.T) {
	t.Parallel()
	w := newMFAWorld(t)
	for mode, want := range map[string]login.Step{setting.Block: login.Blocked, setting.Allow: login.Done, setting.Email: login.Blocked} {
		w.set("mfa.without-device", mode)
		w.expect(w.give(w.claim("alice", here), password, here), want, false)
	}
}
