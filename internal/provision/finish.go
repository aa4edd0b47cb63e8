package provision

import (
	"errors"
	"fmt"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// errEdited asks for a job to be done again from its plan: its permission set has changed meanwhile.
var errEdited = errors.New("permission set was edited while a role was made from it")

// current refuses a new role that is of an older revision than its permission set. A request to provision the set that came
// in between found no role in the account and won't come back for it.
func current(tx *store.Tx, s step, reason string) error {
	if s.request.Family != store.RequestCreate && !s.first || s.ensure == nil || reason != "" {
		return nil
	}
	set, err := tx.PermissionSet(s.ensure.Set)
	if err != nil {
		return fmt.Errorf("load permission set: %w", err)
	}
	if set.Revision != s.ensure.Revision {
		return errEdited
	}
	return nil
}

// finish records what came of a job, together with the end of the job: the assignment, the request, the event. The reason
// is "" when it went well.
func finish(tx *store.Tx, j store.Job, s step, reason string) error {
	if err := tx.FinishJob(j); err != nil {
		return fmt.Errorf("finish job: %w", err)
	}
	e := event(s, reason)
	e.Begin(tx)
	var err error
	switch s.request.Family {
	case store.RequestCreate:
		err = created(tx, s.request, reason)
	case store.RequestDelete:
		err = deleted(tx, s.request, reason)
	case store.RequestProvision, store.RequestHeal: // the role is all there is to it
	}
	if err != nil {
		return err
	}
	if err := record(tx, s, reason); err != nil {
		return err
	}
	if err := part(tx, s.request.ID, -1, reason); err != nil {
		return err
	}
	return e.Store(tx)
}

// record keeps what was made of the permission set in the account. What a check had found of the role is over with that.
func record(tx *store.Tx, s step, reason string) error {
	switch {
	case s.ensure != nil && reason == "":
		spec, err := Pin(tx, s.account.ID, *s.ensure)
		if err != nil {
			return err
		}
		err = tx.PutProvisioned(store.Provisioned{
			Account: s.account.ID, Set: s.ensure.Set, Name: s.ensure.Name, Path: s.ensure.Path, Revision: s.ensure.Revision, Spec: spec, At: tx.Now(),
		})
		if err != nil {
			return fmt.Errorf("record what was provisioned: %w", err)
		}
		return settled(tx, s, s.ensure.Name)
	case s.awaits:
		return wrap(tx.SetAwaited(s.account.ID, s.request.Set, true), "record what waits for the account")
	case s.removed:
		if err := tx.DeleteProvisioned(s.account.ID, s.request.Set); err != nil {
			return fmt.Errorf("record that nothing is provisioned: %w", err)
		}
		return settled(tx, s, s.remove)
	}
	return nil
}

// settled forgets what a check had found of a role. One that was healed may still be outdated.
func settled(tx *store.Tx, s step, role string) error {
	found, err := tx.DriftOfRole(s.account.ID, role)
	if err != nil {
		return fmt.Errorf("load findings: %w", err)
	}
	for _, f := range found { // one of each kind at most
		if f.Kind == store.DriftOutdated && s.request.Family == store.RequestHeal {
			continue
		}
		if err := resolve(tx, s.instance, f); err != nil {
			return err
		}
	}
	return nil
}

func created(tx *store.Tx, r store.Request, reason string) error {
	a, err := tx.Assignment(assignmentOf(r))
	switch {
	case errors.Is(err, store.ErrNotFound): // an earlier request for the same failed and took the row with it
		return nil
	case err != nil:
		return fmt.Errorf("load assignment: %w", err)
	case a.State != store.AssignmentPending:
		return nil
	case reason != "":
		return wrap(tx.DeleteAssignment(a), "delete assignment")
	}
	a.State = store.AssignmentGranted
	if err := tx.SetAssignmentState(a); err != nil {
		return fmt.Errorf("grant assignment: %w", err)
	}
	return wrap(tx.Changed(a.GrantKey()), "record change of grant")
}

func deleted(tx *store.Tx, r store.Request, reason string) error {
	a, err := tx.Assignment(assignmentOf(r))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("load assignment: %w", err)
	case a.State != store.AssignmentDeleting:
		return nil
	case reason != "":
		a.State = store.AssignmentStuck
		return wrap(tx.SetAssignmentState(a), "keep assignment")
	}
	return wrap(tx.DeleteAssignment(a), "delete assignment")
}

// part counts the parts of a request that are still to be done, and ends it with the last. One part that failed fails it.
func part(tx *store.Tx, id string, delta int64, reason string) error {
	r, err := tx.Request(id)
	if err != nil {
		return fmt.Errorf("load request: %w", err)
	}
	r.Remaining += delta
	if r.Reason == "" {
		r.Reason = reason
	}
	if r.Remaining == 0 {
		r.Status = store.RequestSucceeded
		if r.Reason != "" {
			r.Status = store.RequestFailed
		}
	}
	return wrap(tx.UpdateRequest(r), "update request")
}

// spreadBatch is how many accounts a request is spread over in one transaction.
const spreadBatch = 100

// spread enqueues a job for each account in which the permission set stands, a page at a time.
func spread(tx *store.Tx, j store.Job, job access.Job) error {
	r, err := tx.Request(job.Request)
	if err != nil {
		return fmt.Errorf("load request: %w", err)
	}
	q := page.Query{Limit: spreadBatch}
	if job.After != "" {
		q.After = page.Key{string(job.After)}
	}
	accounts, next, err := tx.AccountsWithSet(r.Set, "", q)
	if err != nil {
		return fmt.Errorf("list accounts with permission set: %w", err)
	}
	parts := int64(len(accounts)) - 1 // the spreading itself was one
	for _, a := range accounts {
		if err := access.Enqueue(tx, r, access.Job{Account: a}); err != nil {
			return err
		}
	}
	if next != nil {
		parts++
		if err := access.Enqueue(tx, r, access.Job{After: arn.AccountID(next[0])}); err != nil {
			return err
		}
	}
	if err := part(tx, r.ID, parts, ""); err != nil {
		return err
	}
	return wrap(tx.FinishJob(j), "finish job")
}

// eventNames are of the operations whose outcome is recorded.
var eventNames = map[store.RequestFamily]string{
	store.RequestCreate:    "CreateAccountAssignment",
	store.RequestDelete:    "DeleteAccountAssignment",
	store.RequestProvision: "ProvisionPermissionSet",
	store.RequestHeal:      "HealDrift",
}

// event tells the outcome, as something the service did by itself.
func event(s step, reason string) *audit.Event {
	r, source := s.request, "sso.amazonaws.com"
	if r.Family == store.RequestHeal {
		source = ownSource
	}
	details := map[string]any{
		"requestId": r.ID, "status": store.RequestSucceeded, "targetId": s.account.ID, "targetType": "AWS_ACCOUNT", "permissionSetArn": r.Set.ARN(),
	}
	if r.PrincipalID != "" {
		details["principalType"], details["principalId"] = r.PrincipalType, r.PrincipalID
	}
	if reason != "" {
		details["status"], details["failureReason"] = store.RequestFailed, reason
	}
	switch {
	case s.awaits:
		details["accountClosed"] = true
	case reason == "" && s.ensure != nil:
		details["roleArn"] = s.account.ID.RoleARN(s.ensure.Path, s.ensure.Name)
	case reason == "" && s.remove != "":
		details["removedRole"] = s.remove
	}
	return &audit.Event{
		UserIdentity: audit.UserIdentity{Type: "AWSService", InvokedBy: source},
		EventSource:  source, EventName: eventNames[r.Family], EventType: "AwsServiceEvent",
		AWSRegion: s.instance.Region, SourceIPAddress: source, UserAgent: source,
		RequestID: r.ID, RecipientAccountID: string(s.instance.Owner), ServiceEventDetails: details,
		Resources: []audit.Resource{{ARN: r.Set.ARN(), AccountID: string(s.instance.Owner), Type: "AWS::SSO::PermissionSet"}},
	}
}

func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
