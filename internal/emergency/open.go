package emergency

import (
	"fmt"
	"slices"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// wrongCode is the one text for a wrong code, a used one and a lock.
const wrongCode = "This code is not right, or was used already, or too many were tried. Wait a while before you try another."

// Ask asks for an access to be opened, for a reason. With a code it is open at once, otherwise when somebody approves. Whoever has asked
// already, or has it open, is led to that. A wrong code is told by the problem, not by the error: that it was tried is to be stored.
func (s *Service) Ask(tx *store.Tx, p Person, accessID, why, code string) (o store.Opening, problem string, err error) {
	e, people, err := s.opener(tx, p, accessID)
	if err != nil {
		return o, "", err
	}
	if why, err = reason(why); err != nil {
		return o, "", err
	}
	o, there, err := under(tx, e.ID, p.User.ID)
	if err != nil {
		return o, "", err
	}
	if there {
		if o, err = s.takeUp(tx, o, p); err != nil || o.State == store.OpeningOpen || code == "" {
			return o, "", err
		}
	}
	others := slices.ContainsFunc(people, func(a store.EmergencyPerson) bool { return a.Approves && a.UserID != p.User.ID })
	if code == "" && !others {
		return o, "", fault.Invalidf("Nobody else can approve of this: enter one of the offline codes.")
	}
	if !there {
		o = store.Opening{
			ID: arn.NewTimeUUID(tx.Now()), AccessID: e.ID, AccessName: e.Name, Set: e.Set, UserID: p.User.ID, UserName: p.User.UserName,
			SessionID: p.Session.ID, IP: p.From.IP, UserAgent: p.From.UserAgent, Reason: why, State: store.OpeningPending, Review: store.ReviewNone,
			AskedAt: tx.Now(), Until: tx.Now().Add(AnswerTime),
		}
	}
	if code != "" {
		right, err := s.tryCode(tx, e, p, code, o.ID)
		if err != nil {
			return o, "", err
		}
		if !right {
			refused := s.event("OpenEmergencyAccess", p)
			refused.ServiceEventDetails = details(o, nil)
			refused.ErrorCode, refused.ErrorMessage = "AccessDenied", "The offline code is wrong, was used, or too many were tried."
			return o, wrongCode, refused.Store(tx)
		}
	}
	if !there {
		if err := tx.InsertOpening(o); err != nil {
			return o, "", fmt.Errorf("add opening: %w", err)
		}
		asked := s.event("RequestEmergencyAccess", p)
		asked.ServiceEventDetails = details(o, nil)
		if err := asked.Store(tx); err != nil {
			return o, "", err
		}
	}
	if code != "" {
		o, err = s.open(tx, o, e, p)
		return o, "", err
	}
	return o, "", s.tellApprovers(tx, o, people)
}

// takeUp brings what a person has under way to the browser at hand, in which they have signed in for it anew.
func (s *Service) takeUp(tx *store.Tx, o store.Opening, p Person) (store.Opening, error) {
	if o.SessionID == p.Session.ID {
		return o, nil
	}
	o.SessionID = p.Session.ID
	if err := tx.UpdateOpening(o); err != nil {
		return o, fmt.Errorf("take opening up: %w", err)
	}
	if err := tx.MoveEmergencyGrants(o); err != nil {
		return o, fmt.Errorf("take grants along: %w", err)
	}
	e := s.event("ResumeEmergencyAccess", p)
	e.ServiceEventDetails = details(o, nil)
	if o.State == store.OpeningOpen {
		e.Emergency = o.ID
	}
	return o, e.Store(tx)
}

// opener is the access and its people, when the person may open it with the passkey that they came with.
func (s *Service) opener(tx *store.Tx, p Person, accessID string) (store.EmergencyAccess, []store.EmergencyPerson, error) {
	e, err := Access(tx, accessID)
	if err != nil {
		return e, nil, err
	}
	people, err := tx.EmergencyPeople(e.ID)
	if err != nil {
		return e, nil, fmt.Errorf("list people of emergency access: %w", err)
	}
	i := slices.IndexFunc(people, func(q store.EmergencyPerson) bool { return q.UserID == p.User.ID && q.Opens })
	if i < 0 {
		return e, nil, fault.Missing(typeAccess, clip(accessID)) // as if there were none: who may open what is nobody's business
	}
	return e, people, bound(people[i], p)
}

// bound refuses a passkey that was not enrolled beforehand.
func bound(q store.EmergencyPerson, p Person) error {
	if slices.Contains(q.Passkeys, p.Passkey) {
		return nil
	}
	return fault.Deniedf("This passkey was registered after the emergency access was prepared, or changed last. Sign in with one that you had then.")
}

// under is what a person has under way of an access: waiting or open.
func under(tx *store.Tx, accessID, userID string) (store.Opening, bool, error) {
	for _, state := range []store.OpeningState{store.OpeningOpen, store.OpeningPending} {
		all, err := tx.OpeningsOf(accessID, state, maxPeople)
		if err != nil {
			return store.Opening{}, false, fmt.Errorf("list openings: %w", err)
		}
		for _, o := range all {
			if o.UserID == userID && tx.Now().Before(o.Until) {
				return o, true, nil
			}
		}
	}
	return store.Opening{}, false, nil
}

// Answer is what an approver says to a request.
func (s *Service) Answer(tx *store.Tx, p Person, openingID string, approve bool) (store.Opening, error) {
	o, e, err := s.answerable(tx, p, openingID)
	if err != nil {
		return o, err
	}
	o.ApproverID, o.ApproverName = p.User.ID, p.User.UserName
	if approve {
		return s.open(tx, o, e, p)
	}
	o.State, o.EndedAt, o.EndedBy = store.OpeningDenied, tx.Now(), p.User.UserName
	if err := tx.UpdateOpening(o); err != nil {
		return o, fmt.Errorf("deny opening: %w", err)
	}
	denied := s.event("DenyEmergencyAccess", p)
	denied.ServiceEventDetails = details(o, nil)
	return o, denied.Store(tx)
}

// answerable is a request that waits for the person.
func (s *Service) answerable(tx *store.Tx, p Person, openingID string) (o store.Opening, e store.EmergencyAccess, err error) {
	if o, err = Opening(tx, openingID); err != nil {
		return o, e, err
	}
	if o.UserID == p.User.ID {
		return o, e, fault.Deniedf("Opener and approver are different people: somebody else must approve of what you ask for.")
	}
	if e, err = Access(tx, o.AccessID); err != nil {
		return o, e, err
	}
	people, err := tx.EmergencyPeople(e.ID)
	if err != nil {
		return o, e, fmt.Errorf("list people of emergency access: %w", err)
	}
	i := slices.IndexFunc(people, func(q store.EmergencyPerson) bool { return q.UserID == p.User.ID && q.Approves })
	if i < 0 {
		return o, e, fault.Deniedf("You are none of those who may approve of this.")
	}
	if err := bound(people[i], p); err != nil {
		return o, e, err
	}
	switch {
	case o.State != store.OpeningPending:
		return o, e, fault.Conflictf("This request has been answered, or is over.")
	case !tx.Now().Before(o.Until):
		return o, e, fault.Conflictf("This request is over: nobody has answered it within %d minutes. It must be made again.", int(AnswerTime.Minutes()))
	}
	opener, err := tx.User(o.UserID)
	if err != nil || opener.Status != store.UserEnabled || !slices.ContainsFunc(people, func(q store.EmergencyPerson) bool { return q.UserID == o.UserID && q.Opens }) {
		return o, e, fault.Conflictf("%s may not open this any more.", o.UserName)
	}
	return o, e, nil
}

// open opens an access: from the commit on it can be used, and with it the alarm and the review are there.
func (s *Service) open(tx *store.Tx, o store.Opening, e store.EmergencyAccess, by Person) (store.Opening, error) {
	accounts, err := tx.EmergencyAccounts(e.ID)
	if err != nil {
		return o, fmt.Errorf("list accounts of emergency access: %w", err)
	}
	o.State, o.OpenedAt, o.Until = store.OpeningOpen, tx.Now(), tx.Now().Add(e.Duration).Truncate(time.Second)
	o.Review, o.RemindedAt = store.ReviewOpen, tx.Now()
	if err := tx.UpdateOpening(o); err != nil {
		return o, fmt.Errorf("open: %w", err)
	}
	for _, a := range accounts { // at most maxAccounts
		if err := tx.InsertEmergencyGrant(o, a); err != nil {
			return o, fmt.Errorf("grant: %w", err)
		}
	}
	opened := s.event("OpenEmergencyAccess", by)
	opened.ServiceEventDetails = details(o, accounts)
	opened.ServiceEventDetails["by_code"] = o.ApproverID == ""
	opened.Emergency = o.ID
	if err := opened.Store(tx); err != nil {
		return o, err
	}
	return o, s.alarm(tx, e, s.Letters.EmergencyOpened(s.told(o)))
}

// Close ends an opening early, or takes a request back: the opener, who may approve of it, or an administrator, who comes by the API.
func (s *Service) Close(tx *store.Tx, p Person, openingID string) error {
	o, err := Opening(tx, openingID)
	if err != nil {
		return err
	}
	if o.UserID != p.User.ID {
		people, err := tx.EmergencyPeople(o.AccessID)
		if err != nil {
			return fmt.Errorf("list people of emergency access: %w", err)
		}
		if !slices.ContainsFunc(people, func(q store.EmergencyPerson) bool { return q.UserID == p.User.ID && q.Approves }) {
			return fault.Missing(typeOpening, clip(openingID))
		}
	}
	if err := s.CloseBy(tx, o, p.User.UserName); err != nil {
		return err
	}
	e := s.event("CloseEmergencyAccess", p)
	o.State = store.OpeningEnded
	e.ServiceEventDetails = details(o, nil)
	e.Emergency = o.ID
	return e.Store(tx)
}

// CloseBy ends an opening early. Whoever calls records it.
func (s *Service) CloseBy(tx *store.Tx, o store.Opening, by string) error {
	if o.State != store.OpeningOpen && o.State != store.OpeningPending {
		return fault.Conflictf("This opening is over.")
	}
	return s.end(tx, o, store.OpeningEnded, by)
}

// end ends an opening: what was given out in it is refused from the commit on.
func (s *Service) end(tx *store.Tx, o store.Opening, to store.OpeningState, by string) error {
	o.State, o.EndedAt, o.EndedBy = to, tx.Now(), by
	if err := tx.UpdateOpening(o); err != nil {
		return fmt.Errorf("end opening: %w", err)
	}
	if err := tx.DeleteEmergencyGrants(o.ID); err != nil {
		return fmt.Errorf("take grants: %w", err)
	}
	return wrap(tx.Changed("emergency:"+o.ID), "record change of opening")
}
