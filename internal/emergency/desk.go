package emergency

import (
	"fmt"
	"slices"

	"sallyport/internal/store"
)

// Desk is what a person finds on the page of emergencies.
type Desk struct {
	Mine    []store.Opening // waiting or open, of their own
	May     []Choice        // that they could open
	Waiting []store.Opening // that they could approve of
	Open    []store.Opening // that others have open, and they could close
	Reviews []store.Opening // that they could close
}

// Choice is an access that a person could open.
type Choice struct {
	store.EmergencyAccess
	ByApproval bool // there is another person who could approve
	Bound      bool // the passkey that they came with was enrolled beforehand
}

// Desk looks for what there is for a person to do.
func (s *Service) Desk(tx *store.Tx, p Person) (d Desk, err error) {
	all, err := tx.EmergencyAccessesOf(p.User.ID)
	if err != nil {
		return d, fmt.Errorf("list emergency accesses: %w", err)
	}
	approves := map[string]bool{}
	for _, e := range all { // at most maxAccesses
		people, err := tx.EmergencyPeople(e.ID)
		if err != nil {
			return d, fmt.Errorf("list people of emergency access: %w", err)
		}
		me := people[slices.IndexFunc(people, func(q store.EmergencyPerson) bool { return q.UserID == p.User.ID })]
		approves[e.ID] = me.Approves
		mine, err := d.underWay(tx, e, p, me)
		if err != nil {
			return d, err
		}
		if me.Opens && !mine {
			others := slices.ContainsFunc(people, func(q store.EmergencyPerson) bool { return q.Approves && q.UserID != p.User.ID })
			d.May = append(d.May, Choice{e, others, bound(me, p) == nil})
		}
	}
	reviews, err := tx.ReviewsDue(tx.Now(), mostDue)
	if err != nil {
		return d, fmt.Errorf("list open reviews: %w", err)
	}
	for _, o := range reviews {
		if approves[o.AccessID] && o.UserID != p.User.ID && o.State != store.OpeningOpen {
			d.Reviews = append(d.Reviews, o)
		}
	}
	return d, nil
}

// underWay sorts what is waiting or open of an access, and tells whether some of it is the person's own.
func (d *Desk) underWay(tx *store.Tx, e store.EmergencyAccess, p Person, me store.EmergencyPerson) (mine bool, err error) {
	for _, state := range []store.OpeningState{store.OpeningPending, store.OpeningOpen} {
		all, err := tx.OpeningsOf(e.ID, state, maxPeople)
		if err != nil {
			return false, fmt.Errorf("list openings: %w", err)
		}
		for _, o := range all {
			switch {
			case !tx.Now().Before(o.Until): // over, though nobody has noted it yet
			case o.UserID == p.User.ID:
				d.Mine, mine = append(d.Mine, o), true
			case me.Approves && state == store.OpeningPending:
				d.Waiting = append(d.Waiting, o)
			case me.Approves:
				d.Open = append(d.Open, o)
			}
		}
	}
	return mine, nil
}
