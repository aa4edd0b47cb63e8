package emergency

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// errDry undoes a trial.
var errDry = errors.New("emergency: this was a trial")

// Test finds out why an access could not be opened now, keeps that, and puts a failure on record; nil: it could. The trial goes the
// whole way, the opening's event and letters and credentials for each account included, in a transaction that is undone.
func (s *Service) Test(ctx context.Context, id string) (failures []string, err error) {
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		e, err := Access(tx, id)
		if err != nil {
			return err
		}
		if failures, err = s.try(tx, e); err != nil {
			return err
		}
		return errDry
	})
	if !errors.Is(err, errDry) {
		if fault.KindOf(err) == fault.NotFound {
			return nil, err
		}
		failures = []string{"The trial of an opening failed in the database: " + clip(err.Error())}
	}
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		e, err := Access(tx, id)
		if err != nil {
			return err
		}
		if err := tx.EmergencyTested(id, failures); err != nil {
			return fmt.Errorf("keep result: %w", err)
		}
		if len(failures) == 0 {
			return nil
		}
		failed := s.serviceEvent("EmergencySelfTestFailed")
		failed.ServiceEventDetails = map[string]any{"emergency_access_id": e.ID, "emergency_access_name": e.Name, "reasons": failures}
		if err := failed.Store(tx); err != nil {
			return err
		}
		return s.alarm(tx, e, s.Letters.EmergencyUntested(e.Name, failures))
	})
	return failures, wrap(err, "keep result of test")
}

// try looks for all that could keep an access from being opened, and then opens it.
func (s *Service) try(tx *store.Tx, e store.EmergencyAccess) (failures []string, err error) {
	people, err := tx.EmergencyPeople(e.ID)
	if err != nil {
		return nil, fmt.Errorf("list people of emergency access: %w", err)
	}
	opener, failures, err := s.comers(tx, e, people)
	if err != nil {
		return nil, err
	}
	accounts, err := tx.EmergencyAccounts(e.ID)
	if err != nil {
		return nil, fmt.Errorf("list accounts of emergency access: %w", err)
	}
	set, err := tx.PermissionSet(e.Set)
	if errors.Is(err, store.ErrNotFound) {
		return append(failures, "Its permission set is gone."), nil
	}
	if err != nil {
		return nil, fmt.Errorf("load permission set: %w", err)
	}
	for _, account := range accounts { // at most maxAccounts
		why, err := unfit(tx, set, account)
		if err != nil {
			return nil, err
		}
		if why == "" {
			why, err = s.mint(tx, e, set, account, opener)
		}
		if err != nil {
			return nil, err
		}
		if why != "" {
			failures = append(failures, accountProblem(account, why))
		}
	}
	if len(failures) > 0 {
		return failures, nil
	}
	o := store.Opening{
		ID: arn.NewTimeUUID(tx.Now()), AccessID: e.ID, AccessName: e.Name, Set: e.Set, UserID: opener.ID, UserName: opener.UserName,
		Reason: "self-test", State: store.OpeningPending, Review: store.ReviewNone, AskedAt: tx.Now(), Until: tx.Now().Add(AnswerTime),
	}
	if err := tx.InsertOpening(o); err != nil {
		return nil, fmt.Errorf("add opening: %w", err)
	}
	_, err = s.open(tx, o, e, Person{User: opener})
	return nil, err
}

// comers looks for people who could come: one to open, and another to approve or a code that is left.
func (s *Service) comers(tx *store.Tx, e store.EmergencyAccess, people []store.EmergencyPerson) (opener store.User, failures []string, err error) {
	var live []store.EmergencyPerson
	var problems []string
	for _, p := range people { // at most maxPeople
		why, err := s.Problem(tx, p)
		if err != nil {
			return opener, nil, err
		}
		if why != "" {
			problems = append(problems, why)
			continue
		}
		live = append(live, p)
	}
	left, why, err := codesLeft(tx, e)
	if err != nil {
		return opener, nil, err
	}
	if why != "" {
		failures = append(failures, why)
	}
	found := slices.IndexFunc(live, func(o store.EmergencyPerson) bool {
		return o.Opens && (left > 0 || slices.ContainsFunc(live, func(a store.EmergencyPerson) bool { return a.Approves && a.UserID != o.UserID }))
	})
	if found < 0 {
		why := "Nobody who may open it could, with another person to approve."
		if e.ByCode {
			why = "Nobody who may open it could, with another person to approve or a code that is left."
		}
		return opener, append(append(failures, why), problems...), nil
	}
	opener, err = tx.User(live[found].UserID)
	return opener, failures, wrap(err, "load user")
}

// codesLeft counts the codes of an access; without one, where there should be, it says why.
func codesLeft(tx *store.Tx, e store.EmergencyAccess) (left int, why string, err error) {
	if !e.ByCode {
		return 0, "", nil
	}
	if left, err = tx.EmergencyCodesLeft(e.ID); err != nil || left > 0 {
		return left, "", wrap(err, "count codes")
	}
	made, err := tx.EmergencyCodesMade(e.ID)
	if err != nil {
		return 0, "", fmt.Errorf("look for codes: %w", err)
	}
	if made.IsZero() { // those that are used up stay on record
		return 0, "Its offline codes are void since a backup was restored: make new ones (sallyport emergency codes).", nil
	}
	return 0, "No offline code is left.", nil
}

// mint makes credentials as they would be given out, and throws them away.
func (s *Service) mint(tx *store.Tx, e store.EmergencyAccess, set store.PermissionSet, account arn.AccountID, opener store.User) (why string, err error) {
	role, err := tx.ProvisionedRole(account, set.PermissionSet)
	if err != nil {
		return "", fmt.Errorf("load role: %w", err)
	}
	i, err := tx.Instance(s.Instance)
	if err != nil {
		return "", fmt.Errorf("load instance: %w", err)
	}
	tags := map[string]string{}
	if opener.ID != "" {
		if tags, err = access.SessionTags(tx, i.ID, opener.ID); err != nil {
			return "", err
		}
	}
	_, err = s.Minter.Role(credential.RoleGrant{
		RoleARN: role.ARN(), RoleID: role.ID, SessionName: strings.Repeat("x", 64), UserID: arn.NewUUID(), UserName: opener.UserName,
		SessionID: arn.NewUUID(), ParentID: arn.NewUUID(), PermissionSet: set.ARN(), Emergency: e.ID, Issued: tx.Now(), Duration: time.Minute, Tags: tags,
	})
	if err != nil {
		return "credentials cannot be made: " + clip(err.Error()), nil
	}
	return "", nil
}
