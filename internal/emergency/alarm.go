package emergency

import (
	"slices"

	"sallyport/internal/fault"
	"sallyport/internal/mail"
	"sallyport/internal/store"
)

// told is what letters tell of an opening.
func (s *Service) told(o store.Opening) mail.Emergency {
	by := o.ApproverName
	if by == "" && o.State == store.OpeningOpen {
		by = "an offline code"
	}
	return mail.Emergency{Access: o.AccessName, Opener: o.UserName, Approver: by, Reason: o.Reason, IP: o.IP, At: o.AskedAt, Until: o.Until}
}

// alarm queues a letter to everybody whom the access names. That none can be sent keeps nobody out: the event is what counts.
func (s *Service) alarm(tx *store.Tx, e store.EmergencyAccess, m mail.Message) error {
	return s.send(tx, e.Alarm, m)
}

// tellApprovers queues a letter to those who can approve.
func (s *Service) tellApprovers(tx *store.Tx, o store.Opening, people []store.EmergencyPerson) error {
	var to []string
	for _, p := range people { // at most maxPeople
		if !p.Approves || p.UserID == o.UserID {
			continue
		}
		u, err := tx.User(p.UserID)
		if err == nil && u.PrimaryEmail() != "" {
			to = append(to, u.PrimaryEmail())
		}
	}
	return s.send(tx, to, s.Letters.EmergencyAsked(s.told(o)))
}

// send queues a letter. An address to which nothing can be sent is left out.
func (s *Service) send(tx *store.Tx, to []string, m mail.Message) error {
	if s.Mail == nil || !s.Mail.Configured() {
		return nil
	}
	slices.Sort(to)
	for _, address := range slices.Compact(to) { // at most maxPeople or maxAddresses
		if err := s.Mail.Enqueue(tx, m.For(address)); err != nil && fault.KindOf(err) != fault.Invalid {
			return err
		}
	}
	return nil
}
