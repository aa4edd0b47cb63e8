package access

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/policy"
	"sallyport/internal/policy/managed"
	"sallyport/internal/quota"
	"sallyport/internal/store"
)

// PermissionSet is the permission set with the ARN, which must be of the instance.
func PermissionSet(tx *store.Tx, i store.Instance, set arn.PermissionSet) (store.PermissionSet, error) {
	if set.Instance != i.ID {
		return store.PermissionSet{}, fault.Missing("PermissionSet", set.ARN())
	}
	p, err := tx.PermissionSet(set)
	if errors.Is(err, store.ErrNotFound) {
		return store.PermissionSet{}, fault.Missing("PermissionSet", set.ARN())
	}
	return p, wrap(err, "load permission set")
}

// CreatePermissionSet adds a permission set to an instance. Its id is made; "" means the default session duration.
func CreatePermissionSet(tx *store.Tx, i store.Instance, p store.PermissionSet) (store.PermissionSet, error) {
	if p.SessionDuration == "" {
		p.SessionDuration = DefaultSessionDuration
	}
	if _, err := ParseSessionDuration(p.SessionDuration); err != nil {
		return store.PermissionSet{}, err
	}
	p.PermissionSet, p.Revision, p.CreatedAt = arn.NewPermissionSet(i.ID), 1, tx.Now()
	err := tx.InsertPermissionSet(p)
	if errors.Is(err, store.ErrExists) {
		return store.PermissionSet{}, fault.Conflictf("PermissionSet with name %s already exists.", p.Name)
	}
	return p, wrap(err, "insert permission set")
}

// UpdatePermissionSet changes the description and session duration, nil leaving one as it is, and the relay state: without
// one the permission set has none from now on, as on AWS (terraform #17411). No other operation takes it away.
func UpdatePermissionSet(tx *store.Tx, p store.PermissionSet, description, duration *string, relayState string) error {
	was := p
	if description != nil {
		p.Description = *description
	}
	if duration != nil {
		if _, err := ParseSessionDuration(*duration); err != nil {
			return err
		}
		p.SessionDuration = *duration
	}
	p.RelayState = relayState
	if p.SessionDuration != was.SessionDuration || p.RelayState != was.RelayState { // a role shows no description
		p.Revision++
	}
	return wrap(tx.UpdatePermissionSet(p), "update permission set")
}

// DeletePermissionSet removes a permission set that nothing hangs on (case S16).
func DeletePermissionSet(tx *store.Tx, p store.PermissionSet) error {
	used, err := tx.SetInUse(p.PermissionSet)
	if err != nil {
		return fmt.Errorf("look for use of permission set: %w", err)
	}
	if used {
		return fault.Conflictf("Could not delete because PermissionSet has ApplicationProfile associated with it")
	}
	if err := tx.DeleteTags(p.ARN()); err != nil {
		return wrap(err, "delete tags of permission set")
	}
	if err := tx.DeleteStepUp(p.PermissionSet); err != nil && !errors.Is(err, store.ErrNotFound) {
		return wrap(err, "delete step-up of permission set")
	}
	return wrap(tx.DeletePermissionSet(p.PermissionSet), "delete permission set")
}

// AttachManagedPolicy adds an AWS managed policy, which must be in the catalogue, to a permission set.
func AttachManagedPolicy(tx *store.Tx, p store.PermissionSet, policyARN string, limits quota.Limits) error {
	if _, ok := managed.Lookup(policyARN); !ok {
		return noSuchPolicy(policyARN)
	}
	attached, _, err := tx.AttachedPolicies(p.PermissionSet, page.Query{Limit: quota.Most(quota.PoliciesPerSet)})
	if err != nil {
		return fmt.Errorf("list attached policies: %w", err)
	}
	if slices.Contains(attached, policyARN) { // before the quota, which a full set reaches as well
		return fault.Conflictf("Policy %s is already attached to permission set %s.", policyARN, p.Name)
	}
	if limits.Exceeds(quota.PoliciesPerSet, len(attached)+len(p.Customer)+1) {
		return limits.Reached(quota.PoliciesPerSet)
	}
	if err := tx.AttachPolicy(p.PermissionSet, policyARN); err != nil {
		return fmt.Errorf("attach policy: %w", err)
	}
	return edited(tx, p)
}

func noSuchPolicy(policyARN string) error {
	return &fault.Error{Kind: fault.NotFound, Resource: "ManagedPolicy", ID: policyARN, Message: "Policy " + policyARN + " does not exist."}
}

// DetachManagedPolicy takes a managed policy off a permission set.
func DetachManagedPolicy(tx *store.Tx, p store.PermissionSet, policyARN string) error {
	err := tx.DetachPolicy(p.PermissionSet, policyARN)
	if errors.Is(err, store.ErrNotFound) {
		return &fault.Error{Kind: fault.NotFound, Resource: "ManagedPolicy", ID: policyARN, Message: "Policy " + policyARN + " is not attached to permission set " + p.Name + "."}
	}
	if err != nil {
		return fmt.Errorf("detach policy: %w", err)
	}
	return edited(tx, p)
}

// PolicyName is the name in a managed policy's ARN, which its path may precede.
func PolicyName(policyARN string) string { return policyARN[strings.LastIndexByte(policyARN, '/')+1:] }

// PutInlinePolicy gives a permission set its one inline policy.
func PutInlinePolicy(tx *store.Tx, p store.PermissionSet, document string, limits quota.Limits) error {
	if n := policy.NonSpaceSize(document); limits.Exceeds(quota.InlinePolicySize, n) {
		f := limits.Reached(quota.InlinePolicySize)
		f.Message += fmt.Sprintf(" This one has %d.", n)
		return f
	}
	if _, err := policy.Parse([]byte(document)); err != nil {
		return fmt.Errorf("parse inline policy: %w", err)
	}
	hash, err := tx.PutDocument(document)
	if err != nil {
		return fmt.Errorf("keep inline policy: %w", err)
	}
	p.Inline = hash
	return edited(tx, p)
}

// DeleteInlinePolicy takes the inline policy off a permission set.
func DeleteInlinePolicy(tx *store.Tx, p store.PermissionSet) error {
	if p.Inline == "" {
		return fault.Missing("InlinePolicy", p.ARN())
	}
	p.Inline = ""
	return edited(tx, p)
}

// InlinePolicy is the inline policy as it was written; "" is none.
func InlinePolicy(tx *store.Tx, p store.PermissionSet) (string, error) {
	if p.Inline == "" {
		return "", nil
	}
	text, err := tx.Document(p.Inline)
	return text, wrap(err, "load inline policy")
}

// edited counts an edit, by which provisioned roles are found to be behind (hard part 5).
func edited(tx *store.Tx, p store.PermissionSet) error {
	p.Revision++
	return wrap(tx.UpdatePermissionSet(p), "update permission set")
}
