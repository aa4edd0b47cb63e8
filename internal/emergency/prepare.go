package emergency

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/mail"
	"sallyport/internal/quota"
	"sallyport/internal/store"
)

// Plan is what an administrator wants prepared.
type Plan struct {
	Name        string
	Description string
	Set         arn.PermissionSet
	Accounts    []arn.AccountID
	Openers     []string // ids of users
	Approvers   []string
	Duration    time.Duration // 0: the default
	Codes       int           // offline codes to be made; 0: openings need an approver
	Alarm       []string      // mail addresses
}

// Prepare prepares an access and has its role provisioned where it is not. The codes are shown this once.
func (s *Service) Prepare(tx *store.Tx, p Plan, by string, limits quota.Limits) (e store.EmergencyAccess, codes []string, err error) {
	if e, err = s.planned(p); err != nil {
		return e, nil, err
	}
	n, err := tx.CountEmergencyAccesses(maxAccesses)
	if err != nil {
		return e, nil, fmt.Errorf("count emergency accesses: %w", err)
	}
	if n >= maxAccesses {
		return e, nil, fault.Quotaf("There are %d emergency accesses, as many as there may be. Delete one first.", n)
	}
	e.ID, e.Set, e.CreatedAt, e.CreatedBy, e.ByCode = arn.NewTimeUUID(tx.Now()), p.Set, tx.Now(), by, p.Codes > 0
	err = tx.InsertEmergencyAccess(e)
	if errors.Is(err, store.ErrExists) {
		return e, nil, fault.Conflictf("There is an emergency access of the name %s already.", e.Name)
	}
	if err != nil {
		return e, nil, fmt.Errorf("add emergency access: %w", err)
	}
	if err := s.fill(tx, e, p, limits); err != nil {
		return e, nil, err
	}
	if p.Codes > 0 {
		codes, err = s.NewCodes(tx, e, p.Codes)
	}
	return e, codes, err
}

// Change makes an access what the plan says, but for its name, its permission set and its codes, and binds its people to the passkeys
// that they have now. What is open stays as it was opened.
func (s *Service) Change(tx *store.Tx, id string, p Plan, limits quota.Limits) (store.EmergencyAccess, error) {
	e, err := Access(tx, id)
	if err != nil {
		return e, err
	}
	p.Name, p.Set = e.Name, e.Set
	to, err := s.planned(p)
	if err != nil {
		return e, err
	}
	e.Description, e.Duration, e.Alarm = to.Description, to.Duration, to.Alarm
	if err := tx.UpdateEmergencyAccess(e); err != nil {
		return e, fmt.Errorf("change emergency access: %w", err)
	}
	before, err := tx.EmergencyAccounts(e.ID)
	if err != nil {
		return e, fmt.Errorf("list accounts of emergency access: %w", err)
	}
	if err := s.fill(tx, e, p, limits); err != nil {
		return e, err
	}
	gone := slices.DeleteFunc(before, func(a arn.AccountID) bool { return slices.Contains(p.Accounts, a) })
	return e, release(tx, e.Set, gone)
}

// Delete removes an access. What is open of it ends, and requests for it are denied.
func (s *Service) Delete(tx *store.Tx, id, by string) error {
	e, err := Access(tx, id)
	if err != nil {
		return err
	}
	for _, state := range []store.OpeningState{store.OpeningPending, store.OpeningOpen} {
		all, err := tx.OpeningsOf(e.ID, state, maxPeople)
		if err != nil {
			return fmt.Errorf("list openings: %w", err)
		}
		for _, o := range all { // one of each opener at most
			if err := s.end(tx, o, store.OpeningEnded, by); err != nil {
				return err
			}
		}
	}
	accounts, err := tx.EmergencyAccounts(e.ID)
	if err != nil {
		return fmt.Errorf("list accounts of emergency access: %w", err)
	}
	if err := tx.DeleteEmergencyAccess(e.ID); err != nil {
		return fmt.Errorf("delete emergency access: %w", err)
	}
	return release(tx, e.Set, accounts)
}

// planned checks what a plan says of the access itself.
func (s *Service) planned(p Plan) (e store.EmergencyAccess, err error) {
	e = store.EmergencyAccess{Name: strings.TrimSpace(p.Name), Description: p.Description, Duration: p.Duration, Alarm: p.Alarm}
	if e.Duration == 0 {
		e.Duration = DefaultDuration
	}
	n := utf8.RuneCountInString(e.Name)
	switch {
	case n == 0 || n > maxName || strings.ContainsFunc(e.Name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return e, fault.Invalidf("The name of an emergency access has 1 to %d printable characters.", maxName)
	case e.Duration < minDuration || e.Duration > maxDuration:
		return e, fault.Invalidf("An opening lasts between %d minutes and %d hours.", int(minDuration.Minutes()), int(maxDuration.Hours()))
	case len(p.Accounts) == 0 || len(p.Accounts) > maxAccounts:
		return e, fault.Invalidf("An emergency access is for 1 to %d accounts.", maxAccounts)
	case len(p.Openers) == 0:
		return e, fault.Invalidf("Name at least one person who may open.")
	case len(p.Openers)+len(p.Approvers) > maxPeople:
		return e, fault.Invalidf("An emergency access has at most %d people.", maxPeople)
	case p.Codes < 0 || p.Codes > maxCodes:
		return e, fault.Invalidf("There are at most %d offline codes.", maxCodes)
	case len(p.Alarm) > maxAddresses:
		return e, fault.Invalidf("At most %d addresses get the alarm.", maxAddresses)
	}
	for _, a := range p.Alarm {
		if err := mail.CheckAddress(a); err != nil {
			return e, err
		}
	}
	return e, nil
}

// fill stores where an access is for, and whom.
func (s *Service) fill(tx *store.Tx, e store.EmergencyAccess, p Plan, limits quota.Limits) error {
	people, err := s.bind(tx, e, p)
	if err != nil {
		return err
	}
	if err := tx.PutEmergencyPeople(e.ID, people); err != nil {
		return fmt.Errorf("store people of emergency access: %w", err)
	}
	slices.Sort(p.Accounts)
	accounts := slices.Compact(p.Accounts)
	if err := tx.PutEmergencyAccounts(e, accounts); err != nil {
		return fmt.Errorf("store accounts of emergency access: %w", err)
	}
	return s.provision(tx, e, accounts, limits)
}

// bind looks at each person, and notes with which passkeys they may come.
func (s *Service) bind(tx *store.Tx, e store.EmergencyAccess, p Plan) (people []store.EmergencyPerson, err error) {
	for _, id := range slices.Concat(p.Openers, p.Approvers) { // at most maxPeople
		if slices.ContainsFunc(people, func(q store.EmergencyPerson) bool { return q.UserID == id }) {
			continue
		}
		q := store.EmergencyPerson{UserID: id, Opens: slices.Contains(p.Openers, id), Approves: slices.Contains(p.Approvers, id)}
		all, err := tx.Factors(id)
		if err != nil {
			return nil, fmt.Errorf("load factors: %w", err)
		}
		for _, f := range all {
			if f.Kind == store.Passkey {
				q.Passkeys = append(q.Passkeys, f.ID)
			}
		}
		problem, err := s.Problem(tx, q)
		if err != nil {
			return nil, err
		}
		if problem != "" {
			return nil, fault.Invalidf("%s", problem)
		}
		people = append(people, q)
	}
	if alone := unapproved(people); alone != "" && !e.ByCode {
		return nil, fault.Invalidf("Opener and approver are different people: nobody else could approve what user %s opens. Name another approver, or make offline codes.", alone)
	}
	return people, nil
}

// unapproved is an opener for whom there is no other person to approve; empty: none.
func unapproved(people []store.EmergencyPerson) string {
	for _, o := range people {
		if o.Opens && !slices.ContainsFunc(people, func(a store.EmergencyPerson) bool { return a.Approves && a.UserID != o.UserID }) {
			return o.UserID
		}
	}
	return ""
}

// Problem says why a person could not come; empty: they could.
func (s *Service) Problem(tx *store.Tx, p store.EmergencyPerson) (string, error) {
	u, err := tx.User(p.UserID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", fmt.Errorf("load user: %w", err)
	}
	if err != nil || u.StoreID != s.Store {
		return fmt.Sprintf("There is no user %s.", clip(p.UserID)), nil
	}
	if u.Status != store.UserEnabled {
		return fmt.Sprintf("%s is disabled.", u.UserName), nil
	}
	password, err := tx.Password(u.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", fmt.Errorf("load password: %w", err)
	}
	if err != nil || password.OneTime {
		return fmt.Sprintf("%s has no password of their own here: an emergency asks no other identity provider.", u.UserName), nil
	}
	if len(p.Passkeys) == 0 {
		return fmt.Sprintf("%s has no passkey: it must be registered before the emergency is there.", u.UserName), nil
	}
	for _, id := range p.Passkeys { // as many as a person may have
		f, err := tx.Factor(id)
		if errors.Is(err, store.ErrNotFound) || err == nil && f.UserID != u.ID {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("load passkey: %w", err)
		}
		if _, err := s.Keys.OpenRecord("factor", "sealed", f.ID, f.Sealed); err != nil {
			return fmt.Sprintf("A passkey of %s cannot be read with the keys that the server has.", u.UserName), nil
		}
		return "", nil
	}
	return fmt.Sprintf("%s has none of the passkeys any more that they had when this was prepared: change the access when they have registered another.", u.UserName), nil
}
