package provision

import (
	"errors"
	"fmt"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/policy/managed"
	"sallyport/internal/quota"
	"sallyport/internal/store"
)

// step is what one job asks of one account. Nothing set means that there is nothing to do but to end the request.
type step struct {
	request  store.Request
	instance store.Instance
	account  store.Account
	ensure   *Role
	remove   string // name of a role that nothing needs once the request has ended; when ensure is set, only if that fails
	fail     string // why the request fails without the account being asked
	recorded string // name of the role that the permission set became in the account, even if that has vanished since
	first    bool   // a request to provision makes the role anew
	removed  bool   // whether the account has said that the role is gone
	awaits   bool   // whether the account is closed, and the permission set is to be provisioned in it when it is reopened

	limits quota.Limits
	stable bool // whether a role that comes back gets the name that it had
}

// plan reads what a job is to do. It runs outside the transaction that will record the result, since policies take time to
// unpack; what it rests on can't change meanwhile, because jobs of one account run one after the other and overlapping
// operations on one assignment are refused. Only the permission set can, which current looks at in the end.
func plan(tx *store.Tx, job access.Job, s step) (step, error) {
	var err error
	if s.request, err = tx.Request(job.Request); err != nil {
		return s, fmt.Errorf("load request: %w", err)
	}
	if s.instance, err = tx.Instance(s.request.Set.Instance); err != nil {
		return s, fmt.Errorf("load instance: %w", err)
	}
	s.account, err = tx.Account(job.Account)
	if errors.Is(err, store.ErrNotFound) { // never of the organization: assignments and roles are in accounts that are
		s.account.ID = job.Account
		s.fail = notProvisioned(job.Account)
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("load account: %w", err)
	}
	role, err := tx.ProvisionedRole(job.Account, s.request.Set)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return s, fmt.Errorf("load role: %w", err)
	}
	s.recorded = role.Name
	if role.Name == "" {
		was, err := tx.Provisioned(job.Account, s.request.Set)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return s, fmt.Errorf("load what was provisioned: %w", err)
		}
		s.recorded = was.Name
	}
	switch s.request.Family {
	case store.RequestCreate:
		err = s.planCreate(tx, role)
	case store.RequestDelete:
		err = s.planDelete(tx)
	case store.RequestProvision:
		err = s.planProvision(tx)
	case store.RequestHeal:
		err = s.planHeal(tx)
	}
	return s, err
}

func (s *step) planCreate(tx *store.Tx, role store.Role) error {
	a, err := tx.Assignment(assignmentOf(s.request))
	gone := errors.Is(err, store.ErrNotFound) // an earlier request for the same failed, and took the row with it
	if err != nil && !gone {
		return fmt.Errorf("load assignment: %w", err)
	}
	if gone {
		a = assignmentOf(s.request)
	}
	if a.State == store.AssignmentGranted {
		return nil
	}
	some, granted, err := tx.OtherAssignments(a)
	if err != nil {
		return fmt.Errorf("look for other assignments: %w", err)
	}
	name := role.Name
	if !some {
		s.remove = s.recorded
	}
	s.fail, err = s.refusal(tx, a, gone)
	if err != nil || s.fail != "" {
		return err
	}
	if err := access.FitsAccount(tx, a, name != "", s.limits); err != nil {
		return s.refused(err)
	}
	if name != "" && granted { // others rely on the role as it stands: an edit reaches it when it is provisioned (case S20)
		return nil
	}
	set, err := tx.PermissionSet(a.Set)
	if err != nil {
		return fmt.Errorf("load permission set: %w", err)
	}
	if name = s.recorded; name == "" { // one that has vanished comes back under its name
		name = arn.RoleName(set.Name, s.suffix())
	}
	if !some {
		s.remove = name
	}
	return s.want(tx, set, name)
}

// refused makes a fault the reason why the request fails.
func (s *step) refused(err error) error {
	f := fault.As(err)
	if f == nil {
		return err
	}
	s.fail = f.Message
	return nil
}

// closed tells whether the account is to be left alone, but for what is taken away there.
func (s *step) closed() bool { return s.account.Status != store.AccountActive }

// suffix ends the name of the role that the request creates.
func (s *step) suffix() string {
	if s.stable {
		return suffix(string(s.instance.ID) + "/" + s.request.Set.ID + "/" + string(s.account.ID))
	}
	return suffix(s.request.ID)
}

// refusal is why an assignment can't be granted whatever its account says; "" if nothing speaks against it.
func (s *step) refusal(tx *store.Tx, a store.Assignment, gone bool) (string, error) {
	exists, err := access.PrincipalExists(tx, s.instance.StoreID, a.PrincipalType, a.PrincipalID)
	switch {
	case err != nil:
		return "", err
	case !exists:
		return fmt.Sprintf("Received a 404 status error: the %s assignee %s was not found in directory %s", a.PrincipalType, a.PrincipalID, s.instance.StoreID), nil
	case gone:
		return notAssigned, nil
	case s.closed():
		return access.Closed(s.account.ID), nil
	}
	return "", nil
}

// notAssigned is what AWS says of an assignment that is not there.
const notAssigned = "Received a 404 status error: Assignment not found."

func (s *step) planDelete(tx *store.Tx) error {
	a, err := tx.Assignment(assignmentOf(s.request))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("load assignment: %w", err)
	}
	if a.State != store.AssignmentDeleting { // there was none to delete; another may have been asked for since
		exists, err := access.PrincipalExists(tx, s.instance.StoreID, s.request.PrincipalType, s.request.PrincipalID)
		if err != nil || !exists { // what was assigned to them went with them: it is as whoever asks wants it (case S24)
			return err
		}
		s.fail = notAssigned
		if s.recorded == "" {
			s.fail = notProvisioned(s.account.ID)
		}
		return nil
	}
	some, _, err := tx.OtherAssignments(a)
	if err != nil {
		return fmt.Errorf("look for other assignments: %w", err)
	}
	if !some {
		s.remove = s.recorded
	}
	return nil
}

// planProvision also makes the role that an emergency access needs and nobody has been assigned, and removes one that nothing needs.
func (s *step) planProvision(tx *store.Tx) error {
	held, err := tx.EmergencyHolds(s.account.ID, s.request.Set)
	if err != nil {
		return fmt.Errorf("look for emergency accesses: %w", err)
	}
	if held && s.recorded == "" {
		return s.planFirst(tx)
	}
	if s.recorded != "" && !held {
		needed, _, err := tx.OtherAssignments(store.Assignment{Account: s.account.ID, Set: s.request.Set})
		if err != nil {
			return fmt.Errorf("look for who needs the role: %w", err)
		}
		if !needed {
			s.remove = s.recorded
			return nil
		}
	}
	if s.recorded == "" {
		if s.request.Account != "" { // otherwise the role has gone since the request was spread, which is as good
			s.fail = notProvisioned(s.account.ID)
		}
		return nil
	}
	if s.closed() {
		s.awaits = true
		if s.request.Account != "" { // of all accounts, one that is closed does not fail the request
			s.fail = access.Closed(s.account.ID)
		}
		return nil
	}
	set, err := tx.PermissionSet(s.request.Set)
	if err != nil {
		return fmt.Errorf("load permission set: %w", err)
	}
	return s.want(tx, set, s.recorded)
}

// planFirst makes a role where there was none.
func (s *step) planFirst(tx *store.Tx) error {
	if s.closed() {
		s.fail = access.Closed(s.account.ID)
		return nil
	}
	if err := access.FitsAccount(tx, store.Assignment{Account: s.account.ID, Set: s.request.Set}, false, s.limits); err != nil {
		return s.refused(err)
	}
	set, err := tx.PermissionSet(s.request.Set)
	if err != nil {
		return fmt.Errorf("load permission set: %w", err)
	}
	s.first = true
	return s.want(tx, set, arn.RoleName(set.Name, s.suffix()))
}

// planHeal wants the role as it was provisioned, whatever its permission set says by now.
func (s *step) planHeal(tx *store.Tx) error {
	if s.closed() {
		s.fail = access.Closed(s.account.ID)
		return nil
	}
	was, err := tx.Provisioned(s.account.ID, s.request.Set)
	if errors.Is(err, store.ErrNotFound) {
		s.fail = notProvisioned(s.account.ID)
		return nil
	}
	if err != nil {
		return fmt.Errorf("load what was provisioned: %w", err)
	}
	role, err := recorded(tx, was)
	if err != nil {
		return s.refused(err)
	}
	s.ensure = &role
	return nil
}

func notProvisioned(account arn.AccountID) string {
	return fmt.Sprintf("Received a 404 status error: Permission set provision not found in AWS account %s.", account)
}

func assignmentOf(r store.Request) store.Assignment {
	return store.Assignment{Account: r.Account, Set: r.Set, PrincipalType: r.PrincipalType, PrincipalID: r.PrincipalID}
}

// want makes the role that the permission set asks for now. That it can't be made is the request's failure.
func (s *step) want(tx *store.Tx, set store.PermissionSet, name string) error {
	r := Role{
		Name: name, Path: arn.RolePath(s.instance.Region), Set: set.PermissionSet, Revision: set.Revision,
		Trust: trust(s.account.ID, s.instance.ID), RelayState: set.RelayState,
	}
	var err error
	if r.SessionDuration, err = access.ParseSessionDuration(set.SessionDuration); err != nil {
		return fmt.Errorf("read session duration: %w", err)
	}
	if r.Inline, err = access.InlinePolicy(tx, set); err != nil {
		return err
	}
	attached, _, err := tx.AttachedPolicies(set.PermissionSet, page.Query{Limit: quota.Most(quota.PoliciesPerSet)})
	if err != nil {
		return fmt.Errorf("list attached policies: %w", err)
	}
	r.Customer = set.Customer
	if r.Managed, err = catalogued(attached...); err == nil {
		r.Boundary, err = boundary(set.Boundary)
	}
	if err != nil {
		return s.refused(err)
	}
	s.ensure = &r
	return nil
}

func boundary(b *store.Boundary) (*Boundary, error) {
	switch {
	case b == nil:
		return nil, nil
	case b.Customer != nil:
		return &Boundary{Customer: *b.Customer}, nil
	}
	p, err := catalogued(b.Managed)
	if err != nil {
		return nil, err
	}
	return &Boundary{Managed: p[0]}, nil
}

// catalogued are the policies as the catalogue has them now. One may be gone: attached before the catalogue was renewed.
func catalogued(arns ...string) ([]Policy, error) {
	var out []Policy
	for _, a := range arns {
		p, ok := managed.Lookup(a)
		if !ok {
			return nil, fault.Newf(fault.NotFound, "Received a 404 status error: Policy %s does not exist or is not attachable.", a)
		}
		out = append(out, Policy{ARN: a, Document: p.Document})
	}
	return out, nil
}
