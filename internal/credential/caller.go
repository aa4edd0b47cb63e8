// Package credential mints and opens what callers prove themselves with: access keys, role sessions, bearer tokens.
// It knows no protocol; whether a right still stands is the business of package revocation.
package credential

import (
	"time"

	"sallyport/internal/arn"
)

// Kind tells how a caller proved who they are.
type Kind uint8

// The kinds of callers. The zero value is nobody.
const (
	Nobody      Kind = iota
	IAMUser          // a long-term access key of an account's user
	RoleSession      // short-lived credentials of a role
	Bearer           // a portal access token: a person, not an IAM principal
)

// Caller is who signed the request at hand.
type Caller struct {
	Kind        Kind
	Account     arn.AccountID
	ARN         string // of the user, or of the role session (arn:aws:sts::…:assumed-role/…)
	PrincipalID string // aws:userid: AIDA…, or AROA…:<session name>
	AccessKeyID string

	UserName    string // of an IAMUser: the IAM user's name; of a Bearer or an Identity Center role session: the person's user name
	RoleARN     string // of a RoleSession, with its path
	RoleName    string
	RoleID      string // AROA…
	SessionName string

	UserID        string // Identity Center user behind the call, if any
	SessionID     string // portal or client session under which the credentials were given out
	ParentID      string // portal session above a client session; empty otherwise
	PermissionSet string // ARN, of an Identity Center role session
	ViaKey        string // long-term access key under which a session was given out, if it was
	Correlation   string // UUID of a role session: the event that gave it out has it, and every event of what was done with it
	Emergency     string // opening of an emergency access that the right comes from; empty: an assignment

	CutsSeen       int64     // of a RoleSession: the number of the latest cut (store.Tx.Cut) of what it rests on, in that snapshot
	SessionEnds    time.Time // of a Bearer: the natural end of the session
	Issued         time.Time // since when the right is known to have stood: the snapshot that evaluated it
	Expires        time.Time
	MFATime        time.Time // zero: none
	SourceIdentity string
	Tags           map[string]string // session tags
	SessionPolicy  string            // JSON; empty: none
}

// SignIn is the portal session that all was done under: that of a client's session is the one in which it was approved.
func (c Caller) SignIn() string {
	if c.ParentID != "" {
		return c.ParentID
	}
	return c.SessionID
}
