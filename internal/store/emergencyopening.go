package store

import (
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// OpeningState says how far an opening has come.
type OpeningState string

// The states of an opening.
const (
	OpeningPending OpeningState = "PENDING" // waits for an approver
	OpeningOpen    OpeningState = "OPEN"
	OpeningEnded   OpeningState = "ENDED"
	OpeningDenied  OpeningState = "DENIED"
	OpeningExpired OpeningState = "EXPIRED" // nobody has approved in time
)

// ReviewState says how far the review of an opening has come.
type ReviewState string

// The states of a review.
const (
	ReviewNone   ReviewState = "NONE" // it was never open
	ReviewOpen   ReviewState = "OPEN"
	ReviewClosed ReviewState = "CLOSED"
)

// Opening is one time that somebody has opened an emergency access, or has asked for it.
type Opening struct {
	ID           string
	AccessID     string
	AccessName   string
	Set          arn.PermissionSet
	UserID       string
	UserName     string
	SessionID    string // portal session in which it was asked for, or was taken up last
	IP           string
	UserAgent    string
	Reason       string
	State        OpeningState
	AskedAt      time.Time
	Until        time.Time // PENDING: to be answered before; OPEN: its end
	ApproverID   string    // empty: a code
	ApproverName string
	OpenedAt     time.Time
	EndedAt      time.Time
	EndedBy      string
	Review       ReviewState
	ReviewedAt   time.Time
	ReviewedBy   string
	ReviewReason string
	RemindedAt   time.Time
}

// EmergencyUse are credentials that were given out in an opening.
type EmergencyUse struct {
	OpeningID   string
	AccessKeyID string
	Account     arn.AccountID
	At, Until   time.Time
	EventID     string
}

// EmergencyEvent is a call with credentials that were given out in an opening.
type EmergencyEvent struct {
	OpeningID    string
	EventID      string
	At           time.Time
	Source, Name string
	Error        string // empty: it was done
}

const openingColumns = `o.id, o.access_id, o.access_name, o.instance_id, o.permission_set, o.user_id, o.user_name, o.session_id, o.ip, o.user_agent, o.reason, o.state, o.asked_at, o.until, o.approver_id, o.approver_name, o.opened_at, o.ended_at, o.ended_by, o.review, o.reviewed_at, o.reviewed_by, o.review_reason, o.reminded_at`

const (
	insertOpening query = `INSERT INTO emergency_opening (id, access_id, access_name, instance_id, permission_set, user_id, user_name, session_id, ip, user_agent, reason, state, asked_at, until, approver_id, approver_name, opened_at, ended_at, ended_by, review, reviewed_at, reviewed_by, review_reason, reminded_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)`
	updateOpening query = `UPDATE emergency_opening SET state = $1, until = $2, approver_id = $3, approver_name = $4, opened_at = $5, ended_at = $6, ended_by = $7, review = $8, reviewed_at = $9, reviewed_by = $10, review_reason = $11, reminded_at = $12, session_id = $13 WHERE id = $14`
	openingByID   query = `SELECT ` + openingColumns + ` FROM emergency_opening o WHERE o.id = $1`
	// An id is in the order of time.
	openingsBefore   query = `SELECT ` + openingColumns + ` FROM emergency_opening o WHERE o.id < $1 ORDER BY o.id DESC LIMIT $2`
	openingsOfAccess query = `SELECT ` + openingColumns + ` FROM emergency_opening o WHERE o.access_id = $1 AND o.state = $2 ORDER BY o.id LIMIT $3`
	openingsDue      query = `SELECT ` + openingColumns + ` FROM emergency_opening o WHERE o.state = $1 AND o.until <= $2 ORDER BY o.until LIMIT $3`
	reviewsDue       query = `SELECT ` + openingColumns + ` FROM emergency_opening o WHERE o.review = $1 AND o.reminded_at <= $2 ORDER BY o.reminded_at LIMIT $3`
	countOpenings    query = `SELECT COUNT(*) FROM (SELECT 1 FROM emergency_opening WHERE state = $1 LIMIT $2) AS q`
	countReviews     query = `SELECT COUNT(*) FROM (SELECT 1 FROM emergency_opening WHERE review = $1 LIMIT $2) AS q`

	insertEmergencyGrant  query = `INSERT INTO emergency_grant (user_id, account_id, permission_set, opening_id, session_id, until) VALUES ($1, $2, $3, $4, $5, $6)`
	moveEmergencyGrants   query = `UPDATE emergency_grant SET session_id = $1 WHERE opening_id = $2`
	deleteEmergencyGrants query = `DELETE FROM emergency_grant WHERE opening_id = $1`
	emergencyGrantOf      query = `SELECT opening_id, until FROM emergency_grant WHERE user_id = $1 AND account_id = $2 AND permission_set = $3 AND session_id = $4 AND until > $5 ORDER BY until DESC LIMIT 1`
	emergencyStands       query = `SELECT 1 FROM emergency_grant WHERE user_id = $1 AND account_id = $2 AND permission_set = $3 AND opening_id = $4 AND until > $5`

	insertEmergencyUse   query = `INSERT INTO emergency_use (opening_id, access_key_id, account_id, at, until, event_id) VALUES ($1, $2, $3, $4, $5, $6)`
	emergencyUses        query = `SELECT opening_id, access_key_id, account_id, at, until, event_id FROM emergency_use WHERE opening_id = $1 ORDER BY access_key_id LIMIT $2`
	insertEmergencyEvent query = `INSERT INTO emergency_event (opening_id, event_id, at, source, name, error) VALUES ($1, $2, $3, $4, $5, $6)`
	emergencyEventsAfter query = `SELECT opening_id, event_id, at, source, name, error FROM emergency_event WHERE opening_id = $1 AND event_id > $2 ORDER BY event_id LIMIT $3`
)

func scanOpening(r row) (o Opening, err error) {
	var asked, until, opened, ended, reviewed, reminded int64
	err = r.Scan(&o.ID, &o.AccessID, &o.AccessName, &o.Set.Instance, &o.Set.ID, &o.UserID, &o.UserName, &o.SessionID, &o.IP, &o.UserAgent, &o.Reason, &o.State,
		&asked, &until, &o.ApproverID, &o.ApproverName, &opened, &ended, &o.EndedBy, &o.Review, &reviewed, &o.ReviewedBy, &o.ReviewReason, &reminded)
	o.AskedAt, o.Until, o.OpenedAt, o.EndedAt = fromMicros(asked), fromMicros(until), fromMicros(opened), fromMicros(ended)
	o.ReviewedAt, o.RemindedAt = fromMicros(reviewed), fromMicros(reminded)
	return o, err
}

// InsertOpening adds an opening.
func (tx *Tx) InsertOpening(o Opening) error {
	_, err := tx.exec(insertOpening, o.ID, o.AccessID, o.AccessName, o.Set.Instance, o.Set.ID, o.UserID, o.UserName, o.SessionID, o.IP, o.UserAgent, o.Reason, o.State,
		micros(o.AskedAt), micros(o.Until), o.ApproverID, o.ApproverName, micros(o.OpenedAt), micros(o.EndedAt), o.EndedBy, o.Review,
		micros(o.ReviewedAt), o.ReviewedBy, o.ReviewReason, micros(o.RemindedAt))
	return err
}

// UpdateOpening stores how far an opening has come; ErrNotFound.
func (tx *Tx) UpdateOpening(o Opening) error {
	return one(tx.exec(updateOpening, o.State, micros(o.Until), o.ApproverID, o.ApproverName, micros(o.OpenedAt), micros(o.EndedAt), o.EndedBy,
		o.Review, micros(o.ReviewedAt), o.ReviewedBy, o.ReviewReason, micros(o.RemindedAt), o.SessionID, o.ID))
}

// Opening is the opening with the id; ErrNotFound.
func (tx *Tx) Opening(id string) (Opening, error) { return get(tx, openingByID, scanOpening, id) }

// Openings lists openings, newest first.
func (tx *Tx) Openings(q page.Query) ([]Opening, page.Key, error) {
	before := at(q.After, 0)
	if before == "" {
		before = "g" // after every id, which are hexadecimal
	}
	rows, err := list(tx, openingsBefore, scanOpening, before, q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(o Opening) page.Key { return page.Key{o.ID} })
	return rows, next, nil
}

// OpeningsOf lists up to limit openings of an access in a state, oldest first.
func (tx *Tx) OpeningsOf(accessID string, s OpeningState, limit int) ([]Opening, error) {
	return list(tx, openingsOfAccess, scanOpening, accessID, s, limit)
}

// OpeningsDue lists up to limit openings in a state whose time is over.
func (tx *Tx) OpeningsDue(s OpeningState, limit int) ([]Opening, error) {
	return list(tx, openingsDue, scanOpening, s, micros(tx.now), limit)
}

// ReviewsDue lists up to limit openings whose review is open and was not reminded of after a time.
func (tx *Tx) ReviewsDue(since time.Time, limit int) ([]Opening, error) {
	return list(tx, reviewsDue, scanOpening, ReviewOpen, micros(since), limit)
}

// CountOpenings counts openings in a state, up to a bound.
func (tx *Tx) CountOpenings(s OpeningState, bound int) (int, error) {
	return get(tx, countOpenings, scanCount, s, bound)
}

// CountReviews counts the reviews that are open, up to a bound.
func (tx *Tx) CountReviews(bound int) (int, error) {
	return get(tx, countReviews, scanCount, ReviewOpen, bound)
}

// InsertEmergencyGrant gives an opening's person its permission set in an account until its end.
func (tx *Tx) InsertEmergencyGrant(o Opening, account arn.AccountID) error {
	_, err := tx.exec(insertEmergencyGrant, o.UserID, account, o.Set.ID, o.ID, o.SessionID, micros(o.Until))
	return err
}

// MoveEmergencyGrants brings what an opening has given to the session that it has now.
func (tx *Tx) MoveEmergencyGrants(o Opening) error {
	_, err := tx.exec(moveEmergencyGrants, o.SessionID, o.ID)
	return err
}

// DeleteEmergencyGrants takes what an opening has given.
func (tx *Tx) DeleteEmergencyGrants(openingID string) error {
	_, err := tx.exec(deleteEmergencyGrants, openingID)
	return err
}

// EmergencyGrant is the opening that gives a user, in a portal session, a permission set in an account for the longest time from now, and
// its end; ErrNotFound.
func (tx *Tx) EmergencyGrant(userID, sessionID string, account arn.AccountID, set arn.PermissionSet) (openingID string, until time.Time, err error) {
	type grant struct {
		id    string
		until int64
	}
	g, err := get(tx, emergencyGrantOf, func(r row) (g grant, err error) { err = r.Scan(&g.id, &g.until); return g, err }, userID, account, set.ID, sessionID, micros(tx.now))
	return g.id, fromMicros(g.until), err
}

// EmergencyStands tells whether an opening gives a user a permission set in an account now.
func (tx *Tx) EmergencyStands(userID string, account arn.AccountID, set arn.PermissionSet, openingID string) (bool, error) {
	return tx.exists(emergencyStands, userID, account, set.ID, openingID, micros(tx.now))
}

// InsertEmergencyUse notes credentials that are given out in an opening.
func (tx *Tx) InsertEmergencyUse(u EmergencyUse) error {
	_, err := tx.exec(insertEmergencyUse, u.OpeningID, u.AccessKeyID, u.Account, micros(u.At), micros(u.Until), u.EventID)
	return err
}

// EmergencyUses lists up to limit credentials of an opening.
func (tx *Tx) EmergencyUses(openingID string, limit int) ([]EmergencyUse, error) {
	return list(tx, emergencyUses, func(r row) (u EmergencyUse, err error) {
		var at, until int64
		err = r.Scan(&u.OpeningID, &u.AccessKeyID, &u.Account, &at, &until, &u.EventID)
		u.At, u.Until = fromMicros(at), fromMicros(until)
		return u, err
	}, openingID, limit)
}

// InsertEmergencyEvent notes a call with credentials of an opening.
func (tx *Tx) InsertEmergencyEvent(e EmergencyEvent) error {
	_, err := tx.exec(insertEmergencyEvent, e.OpeningID, e.EventID, micros(e.At), e.Source, e.Name, e.Error)
	return err
}

// EmergencyEvents lists calls with credentials of an opening, oldest first.
func (tx *Tx) EmergencyEvents(openingID string, q page.Query) ([]EmergencyEvent, page.Key, error) {
	rows, err := list(tx, emergencyEventsAfter, func(r row) (e EmergencyEvent, err error) {
		var at int64
		err = r.Scan(&e.OpeningID, &e.EventID, &at, &e.Source, &e.Name, &e.Error)
		e.At = fromMicros(at)
		return e, err
	}, openingID, at(q.After, 0), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(e EmergencyEvent) page.Key { return page.Key{e.EventID} })
	return rows, next, nil
}
