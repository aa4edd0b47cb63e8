package emergency

import (
	"fmt"
	"slices"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// remindEvery is how often an open review is reminded of.
const remindEvery = 24 * time.Hour

// Reviewer is who closes a review: by their user id, if they are a person of the directory.
type Reviewer struct{ UserID, Name string }

// CloseReview closes the review of an opening that is over, with a reason. The opener cannot. Whoever calls records it.
func CloseReview(tx *store.Tx, openingID string, by Reviewer, why string) (store.Opening, error) {
	o, err := Opening(tx, openingID)
	if err != nil {
		return o, err
	}
	if why, err = reason(why); err != nil {
		return o, err
	}
	switch {
	case o.Review == store.ReviewNone:
		return o, fault.Conflictf("There is nothing to review: it was never open.")
	case o.Review == store.ReviewClosed:
		return o, fault.Conflictf("The review is closed already.")
	case o.State == store.OpeningOpen:
		return o, fault.Conflictf("It is still open: close it first.")
	case o.UserID == by.UserID:
		return o, fault.Deniedf("Somebody else than the opener must close the review.")
	}
	o.Review, o.ReviewedAt, o.ReviewedBy, o.ReviewReason = store.ReviewClosed, tx.Now(), by.Name, why
	return o, wrap(tx.UpdateOpening(o), "close review")
}

// Review closes a review as one who may approve of the access, on its page.
func (s *Service) Review(tx *store.Tx, p Person, openingID, why string) error {
	o, err := Opening(tx, openingID)
	if err != nil {
		return err
	}
	people, err := tx.EmergencyPeople(o.AccessID)
	if err != nil {
		return fmt.Errorf("list people of emergency access: %w", err)
	}
	i := slices.IndexFunc(people, func(q store.EmergencyPerson) bool { return q.UserID == p.User.ID && q.Approves })
	if i < 0 && o.UserID != p.User.ID { // who is told why they may not
		return fault.Missing(typeOpening, clip(openingID))
	}
	if i >= 0 {
		if err := bound(people[i], p); err != nil {
			return err
		}
	}
	if o, err = CloseReview(tx, openingID, Reviewer{p.User.ID, p.User.UserName}, why); err != nil {
		return err
	}
	e := s.event("CloseEmergencyReview", p)
	e.ServiceEventDetails = details(o, nil)
	e.ServiceEventDetails["review_reason"] = o.ReviewReason
	return e.Store(tx)
}

// remind puts on record that a review is still open.
func (s *Service) remind(tx *store.Tx, o store.Opening) error {
	o.RemindedAt = tx.Now()
	if err := tx.UpdateOpening(o); err != nil {
		return fmt.Errorf("note reminder: %w", err)
	}
	e := s.serviceEvent("EmergencyReviewOpen")
	e.ServiceEventDetails = details(o, nil)
	e.ServiceEventDetails["opened_at"] = audit.Time(o.OpenedAt)
	e.ServiceEventDetails["days_open"] = int(tx.Now().Sub(o.OpenedAt) / remindEvery)
	return e.Store(tx)
}
