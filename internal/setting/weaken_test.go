package setting

import "testing"

func TestWeakens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, strict, lax string
	}{
		{"mfa.mode", Always, Off},
		{"mfa.mode", Always, ContextAware},
		{"mfa.types", "passkey", "totp"},
		{"mfa.without-device", Block, Register},
		{"mfa.without-device", Email, Allow},
		{"mfa.first-device", Invited, Password},
		{"mfa.fresh-for", "10m", "8h"},
		{"password.min-length", "12", "8"},
		{"password.min-length", "8", "8"},
		{"password.breached", "true", "false"},
		{"scim.guard.share", "10", "100"},
		{"scim.guard.share", "100", "0"},
		{"scim.guard.window", "1h", "0"},
		{"session.idle", "8h", "0"},
		{"session.life", "8h", "1d"},
		{"sign-in.free-failures", "5", "100"},
		{"sign-in.longest-lock", "15m", "1m"},
		{"limits.throttle", AWSRates, Off},
		{"alerts.pipelines", None, "arn:aws:iam::111122223333:role/ci"},
		{"alerts.pipelines", "a,b", "a, b,c"},
	} {
		if got := Weakens(c.name, c.strict, c.lax); got != (c.strict != c.lax) {
			t.Errorf("%s from %s to %s: %v", c.name, c.strict, c.lax, got)
		}
		if Weakens(c.name, c.lax, c.strict) {
			t.Errorf("%s from %s to %s weakens", c.name, c.lax, c.strict)
		}
	}
	if !Weakens("nobody.judged-it", "a", "b") || Weakens("nobody.judged-it", "a", "a") || Weakens("signals.patience", "1h", "1d") {
		t.Error("what nobody has judged, or what weakens never")
	}
}

// TestWeakerNames: every row is about a setting that there is.
func TestWeakerNames(t *testing.T) {
	t.Parallel()
	for name := range weaker {
		if _, ok := find(name); !ok {
			t.Errorf("there is no setting %s", name)
		}
	}
}
