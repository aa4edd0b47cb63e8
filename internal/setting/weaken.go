package setting

import (
	"slices"
	"strings"
)

// weaker says of each setting how a change of it demands less of people than before. A setting that has no row here has nobody judged yet:
// every change of it counts.
var weaker = map[string]func(before, after string) bool{
	"accounts.role-suffix":        never,
	"alerts.kept":                 shorter,
	"alerts.pipelines":            added,
	"audit.retention":             shorterThanEver,
	"drift.every":                 longerOrNever,
	"emergency.test-hour":         never,
	"history.keep":                shorter,
	"limits.mode":                 never,
	"limits.throttle":             later(AWSRates, Off),
	"mfa.condition-keys":          never,
	"mfa.first-device":            later(Invited, Password),
	"mfa.fresh-for":               longer,
	"mfa.max-passkeys":            never,
	"mfa.max-totp":                never,
	"mfa.mode":                    later(Always, ContextAware, Off),
	"mfa.passkey-sign-in":         never,
	"mfa.self-service":            later("false", "true"),
	"mfa.trust-life":              longer,
	"mfa.types":                   later("passkey", "passkey-and-totp", "totp"),
	"mfa.without-device":          later(Block, Register, Email, Allow),
	"password.breached":           later("true", "false"),
	"password.classes":            fewer,
	"password.history":            fewer,
	"password.invitation-life":    longer,
	"password.min-length":         fewer,
	"password.one-time-life":      longer,
	"password.reset-life":         longer,
	"scim.guard.floor":            more,
	"scim.guard.group-share":      moreOrNone,
	"scim.guard.share":            moreOrNone,
	"scim.guard.window":           shorter,
	"session.expiry-ends-roles":   later("true", "false"),
	"session.idle":                longerOrNever,
	"session.life":                longer,
	"session.sign-out-ends-roles": later("true", "false"),
	"sign-in.free-failures":       more,
	"sign-in.longest-lock":        shorter,
	"signals.disablings-an-hour":  never,
	"signals.patience":            never,
	"trail.digest-every":          longer,
	"trail.key-life":              longer,
	"trail.log-every":             longer,
	"trail.retention":             shorterThanEver,
	"trail.verify-every":          longerOrNever,
}

// Weakens says whether a change of a setting demands less of people than before.
func Weakens(name, before, after string) bool {
	if before == after {
		return false
	}
	judge, judged := weaker[name]
	return !judged || judge(before, after)
}

func never(string, string) bool { return false }

// later judges words by their order, the strictest first.
func later(order ...string) func(before, after string) bool {
	return func(before, after string) bool { return slices.Index(order, after) > slices.Index(order, before) }
}

func longer(before, after string) bool {
	a, errA := parse(before)
	b, errB := parse(after)
	return errA != nil || errB != nil || b > a
}

func shorter(before, after string) bool { return longer(after, before) }

// longerOrNever is for times of which 0 means that something is never done.
func longerOrNever(before, after string) bool {
	return before != "0" && (after == "0" || longer(before, after))
}

// shorterThanEver is for times of which 0 means for ever.
func shorterThanEver(before, after string) bool { return longerOrNever(after, before) }

func more(before, after string) bool {
	return len(after) > len(before) || len(after) == len(before) && after > before // as they are written: without zeros before them
}

func fewer(before, after string) bool { return more(after, before) }

// moreOrNone is for bounds of which 0 means that there is none.
func moreOrNone(before, after string) bool {
	return before != "0" && (after == "0" || more(before, after))
}

// added says whether a list has an entry that it had not.
func added(before, after string) bool {
	had := strings.Split(before, ",")
	for i := range had {
		had[i] = strings.TrimSpace(had[i])
	}
	for _, one := range strings.Split(after, ",") {
		if one = strings.TrimSpace(one); one != "" && one != None && !slices.Contains(had, one) {
			return true
		}
	}
	return false
}
