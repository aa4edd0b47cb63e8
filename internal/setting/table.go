package setting

import (
	"fmt"
	"time"

	"sallyport/internal/quota"
)

const day = 24 * time.Hour

// The values of settings that are one of a few words.
const (
	Always       = "always"        // mfa.mode: a second factor at every sign-in
	ContextAware = "context-aware" // mfa.mode: not in a browser that the person trusts
	Off          = "off"

	Register = "register" // mfa.without-device: register one now
	Email    = "email"    // mfa.without-device: a code by mail
	Block    = "block"
	Allow    = "allow"

	NewSuffix    = "new"    // accounts.role-suffix: another each time, as on AWS
	StableSuffix = "stable" // accounts.role-suffix: the same each time

	None = "none" // alerts.pipelines: nobody

	AWSRates = "aws" // limits.throttle: at AWS's rates

	Invited  = "invited"  // mfa.first-device: needs a one-time password or an invitation
	Password = "password" // mfa.first-device: the password is enough, as on AWS
)

// Values are the settings in force.
type Values struct {
	AlertPipelines string        // entries with commas between them: see package alert
	AlertsKept     time.Duration // how long closed alerts are

	RoleSuffix  string
	DriftEvery  time.Duration // 0: never
	HistoryKeep time.Duration

	EmergencyTestHour int // of the day, UTC

	LimitsMode     string
	LimitsThrottle string

	MFAMode          string
	MFATypes         string
	MFAWithoutDevice string
	MFAFirstDevice   string
	MFASelfService   bool
	MFAMaxTOTP       int
	MFAMaxPasskeys   int
	MFATrustLife     time.Duration
	MFAFreshFor      time.Duration
	MFAConditionKeys bool
	PasskeySignIn    bool

	PasswordMinLength int
	PasswordClasses   int
	PasswordHistory   int
	PasswordBreached  bool
	OneTimeLife       time.Duration
	InvitationLife    time.Duration
	ResetLife         time.Duration
	FreeFailures      int
	LongestLock       time.Duration

	SCIMGuardShare      int // percent; 0: no guard
	SCIMGuardGroupShare int // percent; 0: no guard of single groups
	SCIMGuardFloor      int
	SCIMGuardWindow     time.Duration // 0: no guard

	SessionLife      time.Duration
	SessionIdle      time.Duration // 0: no rule
	SignOutEndsRoles bool
	ExpiryEndsRoles  bool

	SignalDisablings int // 0: none
	SignalPatience   time.Duration

	AuditRetention time.Duration // 0: for ever

	TrailLogEvery    time.Duration
	TrailDigestEvery time.Duration
	TrailKeyLife     time.Duration
	TrailRetention   time.Duration // 0: for ever
	TrailVerifyEvery time.Duration // 0: never
}

// Mode is whose limits hold.
func (v Values) Mode() quota.Mode { return quota.Mode(v.LimitsMode) }

// SCIMGuardMemory is how long the guard of SCIM's removals stays shut after it has refused one: a day at least, so that a feed that comes
// empty takes nothing away, rather than a share in every window.
func (v Values) SCIMGuardMemory() time.Duration { return max(day, v.SCIMGuardWindow) }

// TOTPAllowed says whether authenticator apps may be registered and used.
func (v Values) TOTPAllowed() bool { return v.MFATypes != "passkey" }

// PasskeysAllowed says whether passkeys may be registered and used.
func (v Values) PasskeysAllowed() bool { return v.MFATypes != "totp" }

// table is every setting there is, by name.
var table = []definition{
	words("accounts.role-suffix", NewSuffix, NewSuffix, func(v *Values) *string { return &v.RoleSuffix }, []string{NewSuffix, StableSuffix},
		"How the name of a role ends that a permission set gets in an account again, after its last assignment there had gone: anew; or as before, so that what names the role goes on to."),
	durations("alerts.kept", 365*day, "not there", day, 3650*day, false, func(v *Values) *time.Duration { return &v.AlertsKept },
		"How long an alert that was closed is kept."),
	texts("alerts.pipelines", None, "not there", pipelines, func(v *Values) *string { return &v.AlertPipelines },
		"The callers that may change access without an alert, with commas between them: ARNs of users and roles; ROLE@SOURCE for a role whose sessions have a source identity, or a person behind them; scim:NAME for a source of people and groups."),
	durations("audit.retention", 0, "90d", day, 3650*day, true, func(v *Values) *time.Duration { return &v.AuditRetention },
		"How long events stay in the database; 0: for ever. None goes before all trails and sinks have it."),
	durations("drift.every", 0, "not there", time.Minute, 30*day, true, func(v *Values) *time.Duration { return &v.DriftEvery },
		"How often the roles in all accounts are compared with what was provisioned; 0: only when somebody asks (sallyport drift)."),
	numbers("emergency.test-hour", 6, "not there", 0, 23, func(v *Values) *int { return &v.EmergencyTestHour },
		"At what hour of the day, UTC, every emergency access is tested: whether it could be opened now."),
	durations("history.keep", 400*day, "not there", 30*day, 3650*day, false, func(v *Values) *time.Duration { return &v.HistoryKeep },
		"How long it is remembered who had access to what, after it has ended, what was used, and who opened emergency access (sallyport access, usage, emergency). Names of people are part of it."),
	words("limits.mode", string(quota.Strict), string(quota.Strict), func(v *Values) *string { return &v.LimitsMode }, []string{string(quota.Strict), string(quota.Relaxed)},
		"Whose limits hold: AWS's, or our own larger ones. What was made under larger limits stays."),
	words("limits.throttle", Off, AWSRates, func(v *Values) *string { return &v.LimitsThrottle }, []string{Off, AWSRates}, "Whether calls are throttled at AWS's rates."),
	booleans("mfa.condition-keys", false, "false", func(v *Values) *bool { return &v.MFAConditionKeys },
		"Whether aws:MultiFactorAuthPresent and aws:MultiFactorAuthAge tell policies of the second factor at sign-in. AWS leaves them unset on these sessions."),
	words("mfa.first-device", Invited, Password, func(v *Values) *string { return &v.MFAFirstDevice }, []string{Invited, Password},
		"What a person needs to register their first device: an invitation or a one-time password, so that a stolen password does not suffice; or the password alone."),
	durations("mfa.fresh-for", 10*time.Minute, "not there", time.Minute, 8*time.Hour, false, func(v *Values) *time.Duration { return &v.MFAFreshFor },
		"How long after proving a factor a person may add or remove devices and change their password without proving one again."),
	numbers("mfa.max-passkeys", 6, "6", 1, 50, func(v *Values) *int { return &v.MFAMaxPasskeys }, "How many passkeys and security keys a person may have."),
	numbers("mfa.max-totp", 2, "2", 1, 10, func(v *Values) *int { return &v.MFAMaxTOTP }, "How many authenticator apps a person may have."),
	words("mfa.mode", Always, ContextAware, func(v *Values) *string { return &v.MFAMode }, []string{Always, ContextAware, Off},
		"When a second factor is asked for: at every sign-in; only outside of browsers that the person trusts; never."),
	booleans("mfa.passkey-sign-in", true, "false", func(v *Values) *bool { return &v.PasskeySignIn }, "Whether a passkey that checks its user is enough to sign in, without user name and password."),
	booleans("mfa.self-service", true, "true", func(v *Values) *bool { return &v.MFASelfService }, "Whether people may add, rename and remove their own devices."),
	durations("mfa.trust-life", 30*day, "not published", time.Hour, 365*day, false, func(v *Values) *time.Duration { return &v.MFATrustLife },
		"With mfa.mode context-aware: how long a browser stays trusted. A change of browser, device or network ends it sooner."),
	words("mfa.types", "passkey-and-totp", "passkey-and-totp", func(v *Values) *string { return &v.MFATypes }, []string{"passkey-and-totp", "passkey", "totp"},
		"Which kinds of devices may be registered and used."),
	words("mfa.without-device", Register, Register, func(v *Values) *string { return &v.MFAWithoutDevice }, []string{Register, Email, Block, Allow},
		"What happens at sign-in to a person who has no device: they register one; get a code by mail; are kept out; or are let in."),
	booleans("password.breached", true, "true", func(v *Values) *bool { return &v.PasswordBreached }, "Whether passwords that are publicly known are refused."),
	numbers("password.classes", 4, "4", 1, 4, func(v *Values) *int { return &v.PasswordClasses }, "How many of lower-case letters, upper-case letters, digits and others a password must have."),
	numbers("password.history", 3, "3", 0, 24, func(v *Values) *int { return &v.PasswordHistory }, "How many of a person's last passwords may not be used again."),
	durations("password.invitation-life", 7*day, "7d", 5*time.Minute, 30*day, false, func(v *Values) *time.Duration { return &v.InvitationLife }, "How long the link of an invitation works."),
	numbers("password.min-length", 8, "8", 8, 64, func(v *Values) *int { return &v.PasswordMinLength }, "How many characters a password must have."),
	durations("password.one-time-life", 7*day, "not published", 5*time.Minute, 90*day, false, func(v *Values) *time.Duration { return &v.OneTimeLife }, "How long a one-time password works."),
	durations("password.reset-life", time.Hour, "1h", 5*time.Minute, 24*time.Hour, false, func(v *Values) *time.Duration { return &v.ResetLife }, "How long the link of a password reset works."),
	numbers("scim.guard.floor", 10, "not there", 0, 100_000, func(v *Values) *int { return &v.SCIMGuardFloor },
		"How many users, groups or memberships a source that speaks SCIM's complete dialect may remove in the window whatever share of all that is."),
	numbers("scim.guard.group-share", 50, "not there", 0, 100, func(v *Values) *int { return &v.SCIMGuardGroupShare },
		"How many percent of one group's members a source may remove in the window, until somebody approves of more; 0: any number."),
	numbers("scim.guard.share", 10, "not there", 0, 100, func(v *Values) *int { return &v.SCIMGuardShare },
		"How many percent of its users, groups or memberships a source may remove in the window, until somebody approves of more (sallyport scim approve); 0: any number."),
	durations("scim.guard.window", time.Hour, "not there", time.Minute, 7*day, true, func(v *Values) *time.Duration { return &v.SCIMGuardWindow },
		"In how long a time removals by SCIM are added up; 0: never, so that any number is let through."),
	booleans("session.expiry-ends-roles", false, "false", func(v *Values) *bool { return &v.ExpiryEndsRoles },
		"Whether role credentials last no longer than the session that they are given out in, as that ends by itself. It counts for those that are given out later."),
	durations("session.idle", 0, "0", 5*time.Minute, 90*day, true, func(v *Values) *time.Duration { return &v.SessionIdle },
		"After how long without use a browser's session is over; 0: not before its end. Command-line sessions that were approved in it go on to their own end."),
	durations("session.life", 8*time.Hour, "8h", 15*time.Minute, 90*day, false, func(v *Values) *time.Duration { return &v.SessionLife },
		"How long a session lasts. Command-line sessions end with the session that they were approved in. It counts for sessions that begin later."),
	booleans("session.sign-out-ends-roles", true, "false", func(v *Values) *bool { return &v.SignOutEndsRoles },
		"Whether signing out stops role credentials that were given out in the session. An operator who ends a session always stops them."),
	numbers("sign-in.free-failures", 5, "not published", 1, 100, func(v *Values) *int { return &v.FreeFailures }, "How many wrong passwords or codes in a row stay without delay."),
	durations("sign-in.longest-lock", 15*time.Minute, "not published", time.Minute, 24*time.Hour, false, func(v *Values) *time.Duration { return &v.LongestLock }, "How long the rising delay after wrong passwords or codes gets at most."),
	numbers("signals.disablings-an-hour", 10, "not there", 0, 1_000_000, func(v *Values) *int { return &v.SignalDisablings },
		"How many people the signals of one transmitter may disable within an hour. What goes beyond it ends their sessions and is kept on record, for you to decide on."),
	durations("signals.patience", 7*day, "not there", time.Hour, 30*day, false, func(v *Values) *time.Duration { return &v.SignalPatience },
		"How long a signal of ours waits for a receiver that does not take it."),
	durations("trail.digest-every", time.Hour, "1h", time.Second, day, false, func(v *Values) *time.Duration { return &v.TrailDigestEvery },
		"How often a trail gets a signed digest of its log files, also when there were none."),
	durations("trail.key-life", 90*day, "not published", time.Hour, 3650*day, false, func(v *Values) *time.Duration { return &v.TrailKeyLife },
		"After how long the key that signs digests is followed by another. Its public part stays."),
	durations("trail.log-every", 5*time.Minute, "about 5m", time.Second, time.Hour, false, func(v *Values) *time.Duration { return &v.TrailLogEvery },
		"How often a trail gets a log file, if there were events. Many events make one sooner."),
	durations("trail.retention", 0, "not there", 7*day, 3650*day, true, func(v *Values) *time.Duration { return &v.TrailRetention },
		"How long the files of trails stay in their buckets, if a digest lists them; 0: for ever. None goes unless it verifies, and before a digest has the event that says so."),
	durations("trail.verify-every", day, "not there", time.Minute, 30*day, true, func(v *Values) *time.Duration { return &v.TrailVerifyEvery },
		"How often a trail's files are held against their signatures and against the log; 0: only when somebody asks (sallyport audit verify)."),
}

// Defaults are the settings of a deployment where nobody has set anything.
func Defaults() Values {
	var v Values
	for _, d := range table {
		if err := d.set(&v, d.byDefault); err != nil {
			panic(fmt.Sprintf("setting %s: its default does not fit: %v", d.name, err)) // a mistake of this file, found by every test
		}
	}
	return v
}
