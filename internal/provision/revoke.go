package provision

import (
	"time"

	"sallyport/internal/arn"
)

// Revocation says which credentials of an account's roles are to work no more: those that were issued no later than NotBefore.
// Later ones are not concerned.
type Revocation struct {
	ID        string // names it: the same again changes nothing
	Account   arn.AccountID
	Roles     []string // names; nil: all roles that were made from permission sets
	UserID    string   // of this user alone; "": everybody's
	SessionID string   // of this session of the user, and those that were approved in it; "": all
	NotBefore time.Time
}

// Outcome is what a backend has done about a revocation, and what it cannot help.
type Outcome struct {
	// Within is how long after the answer what was revoked may still work, by what the backend knows of its cloud.
	Within time.Duration
	// Residue tells, in sentences, what goes on working after that; nil: nothing.
	Residue []string
}
