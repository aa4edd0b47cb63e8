// Package provision makes accounts match what package access has written down: it turns permission sets into roles.
//
// A [Worker] does the jobs that access enqueues, the jobs of one account one after the other, and ends their requests. What
// an account is made of is behind a [Provisioner], one for each kind of backend.
package provision

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/store"
)

// Provisioner is an account backend. What changes an account is idempotent: a job that was cut short is done again from the start.
//
// A fault of kind Invalid, NotFound, Denied, Conflict or Quota is for good, and its message tells the operator why; any
// other error is tried again. After a fault for good of EnsureRole, RemoveRole is called if nothing else needs the role.
// Package provisiontest has the suite that every implementation must pass.
type Provisioner interface {
	// EnsureRole makes the account's role of that name what is wanted.
	EnsureRole(ctx context.Context, account arn.AccountID, want Role) error
	// RemoveRole removes the account's role of that name, if it has one.
	RemoveRole(ctx context.Context, account arn.AccountID, name string) error
	// InspectRoles lists up to limit of the account's roles that were made from permission sets, or look so by their path, as they are
	// now: by name, byte by byte, after the given one. Fewer than limit are the last. What a backend does not keep it leaves out:
	// Set, Revision, and the texts of managed policies.
	InspectRoles(ctx context.Context, account arn.AccountID, after string, limit int) ([]Role, error)
	// Revoke ends credentials that the account's roles have given out. A role that is not there has none. The outcome states how
	// long that takes, and what it does not end.
	Revoke(ctx context.Context, r Revocation) (Outcome, error)
}

// Role is a role as it should stand in an account, with the texts of its policies as they read now.
type Role struct {
	Name, Path      string
	Set             arn.PermissionSet
	Revision        int64 // of the permission set
	Trust           string
	Managed         []Policy
	Customer        []store.CustomerPolicy // that the account must have
	Inline          string                 // "": none
	Boundary        *Boundary              // nil: none
	SessionDuration time.Duration
	RelayState      string
}

// Boundary is the most that a role may: a managed policy, or one that the account must have.
type Boundary struct {
	Managed  Policy // zero: Customer
	Customer store.CustomerPolicy
}

// Policy is an AWS managed policy. Backends that have it themselves go by the ARN alone.
type Policy struct {
	ARN      string
	Document string
}

// suffix ends the name of the role that a request creates. It comes from the request rather than from chance, so that a
// job that is done again makes no second role; a later request, after the role has gone, makes another name (case S25).
// Where roles are to keep their names it comes from where the role stands and what it is made from instead.
func suffix(from string) string {
	sum := sha256.Sum256([]byte(from))
	return hex.EncodeToString(sum[:8])
}

// trust is the trust policy of every provisioned role (wire protocols §14): sessions come by SAML from the account's own
// provider, whose name is the same for all roles of the account.
func trust(account arn.AccountID, instance arn.Instance) string {
	sum := sha256.Sum256([]byte(string(instance) + "/" + string(account)))
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:%s:iam::%s:saml-provider/AWSSSO_%s_DO_NOT_DELETE"},"Action":["sts:AssumeRoleWithSAML","sts:TagSession"],"Condition":{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}}]}`,
		arn.Partition, account, hex.EncodeToString(sum[:8]))
}
