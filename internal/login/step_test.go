package login_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/internal/login"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// letters of the steps, in the tables below.
var letters = map[login.Step]byte{
	login.AskPassword: 'P', login.AskPasskey: 'K', login.AskMFA: 'M', login.AskDevice: 'D', login.AskMailCode: 'C', login.Blocked: 'B',
	login.AskNewPassword: 'N', login.Done: '.',
}

const anyWithout = "register/email/block/allow"

// TestStepAfterTheFirstFactor has, for every mode, rule for people without a device and way in, the step after the first
// factor. Of each group of four, without a device and with one: plain, password to be changed, trusted browser, both.
func TestStepAfterTheFirstFactor(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, row := range []struct{ modes, withouts, entries, want string }{
		{"always", "register", "PASSWORD", "BDBD MMMM"}, // a password alone registers no first device, a one-time password does
		{"always", "email", "PASSWORD/INVITATION/RESET", "CCCC MMMM"},
		{"always", "block", "PASSWORD/INVITATION/RESET", "BBBB MMMM"},
		{"always", "allow", "PASSWORD/INVITATION/RESET", ".N.N MMMM"},
		{"always", "register", "INVITATION", "DDDD MMMM"},
		{"always", "register", "RESET", "BBBB MMMM"}, // nor does a mailbox

		{"context-aware", "register", "PASSWORD", "BD.N MM.N"},
		{"context-aware", "email", "PASSWORD/INVITATION", "CC.N MM.N"},
		{"context-aware", "block", "PASSWORD/INVITATION", "BB.N MM.N"},
		{"context-aware", "allow", "PASSWORD/INVITATION", ".N.N MM.N"},
		{"context-aware", "register", "INVITATION", "DD.N MM.N"},
		{"context-aware", "register", "RESET", "BB.N MMMM"}, // whatever is trusted, a mailbox is not enough for who has a device
		{"context-aware", "email", "RESET", "CC.N MMMM"},
		{"context-aware", "block", "RESET", "BB.N MMMM"},
		{"context-aware", "allow", "RESET", ".N.N MMMM"},

		{"off", anyWithout, "PASSWORD/INVITATION", ".N.N .N.N"},
		{"off", anyWithout, "RESET", ".N.N MMMM"},

		{"always/context-aware/off", anyWithout, "PASSKEY", ".N.N .N.N"}, // is two factors
		{"always/context-aware/off", anyWithout, "CONFIRMATION", ".N.N MMMM"},
		{"always/context-aware/off", anyWithout, "EMERGENCY", "BBBB MMMM"}, // with nothing less than a passkey, whatever the mode
	} {
		for mode := range strings.SplitSeq(row.modes, "/") {
			for without := range strings.SplitSeq(row.withouts, "/") {
				for entry := range strings.SplitSeq(row.entries, "/") {
					p := position(mode, without, store.Entry(entry))
					name := fmt.Sprint(mode, " ", without, " ", entry)
					if seen[name] {
						t.Errorf("%s is there twice", name)
					}
					seen[name] = true
					prove(&p)
					if got := steps(p); got != row.want {
						t.Errorf("%s: %s, want %s", name, got, row.want)
					}
				}
			}
		}
	}
	if len(seen) != 3*4*6 {
		t.Errorf("%d combinations, want 72", len(seen))
	}
}

// TestFirstStep: nothing but the way in, and for a confirmation what the person has, decides on the first factor.
func TestFirstStep(t *testing.T) {
	t.Parallel()
	for entry, want := range map[store.Entry]string{store.ByPassword: "PPPP PPPP", store.ByPasskey: "KKKK KKKK", store.ByConfirmation: "PPPP MMMM", store.ByEmergency: "PPPP PPPP"} {
		for _, mode := range []string{setting.Always, setting.ContextAware, setting.Off} {
			for without := range strings.SplitSeq(anyWithout, "/") {
				if got := steps(position(mode, without, entry)); got != want {
					t.Errorf("%s, %s, %s: %s, want %s", mode, without, entry, got, want)
				}
			}
		}
	}
}

func TestOtherSteps(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	for name, c := range map[string]struct {
		change func(*login.Position)
		entry  store.Entry
		want   string
	}{
		"the password alone may register": {func(p *login.Position) { p.Settings.MFAFirstDevice = setting.Password }, store.ByPassword, "DDDD MMMM"},
		"never a reset":                   {func(p *login.Position) { p.Settings.MFAFirstDevice = setting.Password }, store.ByReset, "BBBB MMMM"},
		"no address for a code":           {func(p *login.Position) { p.Settings.MFAWithoutDevice, p.Mail = setting.Email, "" }, store.ByPassword, "BBBB MMMM"},
		"second factor proved":            {func(p *login.Position) { p.MFAAt = now }, store.ByPassword, ".N.N .N.N"},
		"second factor proved, reset":     {func(p *login.Position) { p.MFAAt = now }, store.ByReset, ".N.N .N.N"},
		"another device":                  {func(p *login.Position) { p.WantsDevice, p.MFAAt = true, now }, store.ByConfirmation, "DDDD DDDD"},
		"another device, registered":      {func(p *login.Position) { p.WantsDevice, p.Enrolled, p.MFAAt = true, true, now }, store.ByConfirmation, ".N.N .N.N"},
		"another device, nothing proved":  {func(p *login.Position) { p.WantsDevice, p.PasswordAt = true, time.Time{} }, store.ByConfirmation, "PPPP MMMM"},
	} {
		p := position(setting.Always, setting.Register, c.entry)
		prove(&p)
		c.change(&p)
		if got := steps(p); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func position(mode, without string, entry store.Entry) login.Position {
	p := login.Position{Attempt: store.Attempt{Entry: entry}, Settings: setting.Defaults(), Mail: address}
	p.Settings.MFAMode, p.Settings.MFAWithoutDevice = mode, without
	return p
}

// prove has the first factor of a way in proved.
func prove(p *login.Position) {
	now := time.Unix(1_800_000_000, 0)
	switch p.Entry {
	case store.ByPasskey:
		p.MFAAt = now
	case store.ByPassword, store.ByConfirmation, store.ByEmergency:
		p.PasswordAt = now
	}
}

// steps are the eight steps of a row.
func steps(p login.Position) string {
	var out []byte
	for i := range 8 {
		p.MustChange, p.Trusted, p.Factors = i&1 != 0, i&2 != 0, nil
		if i == 4 {
			out = append(out, ' ')
		}
		if i >= 4 {
			p.Factors = []store.Factor{{Kind: store.TOTP}}
		}
		out = append(out, letters[login.StepOf(p)])
	}
	return string(out)
}
