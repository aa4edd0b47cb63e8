package store

import (
	"errors"
	"strconv"
	"time"

	"sallyport/internal/page"
)

const (
	// The live ones: index session_end.
	liveSessions query = `SELECT ` + sessionColumns + ` FROM session s WHERE s.ended_at = 0 AND (s.expires_at, s.id) > ($1, $2) ORDER BY s.expires_at, s.id LIMIT $3`
	allSessions  query = `SELECT ` + sessionColumns + ` FROM session s WHERE s.id > $1 ORDER BY s.id LIMIT $2`
	liveOfUser   query = `SELECT ` + sessionColumns + ` FROM session s WHERE s.user_id = $1 AND s.id > $2 AND +s.ended_at = 0 AND s.expires_at > $3 ORDER BY s.id LIMIT $4`
	allOfUser    query = `SELECT ` + sessionColumns + ` FROM session s WHERE s.user_id = $1 AND s.id > $2 ORDER BY s.id LIMIT $3`

	clientsAfter query = `SELECT client_key, max(client_name), count(*), max(seen_at) FROM session WHERE client_key > $1 AND ended_at = 0 AND expires_at > $2 GROUP BY client_key ORDER BY client_key LIMIT $3`
	clientsOf    query = `SELECT client_key, max(client_name), count(*), max(seen_at) FROM session WHERE user_id = $1 AND client_key > $2 AND +ended_at = 0 AND expires_at > $3 GROUP BY client_key ORDER BY client_key LIMIT $4`
	liveOfBoth   query = `SELECT id FROM session WHERE client_key = $1 AND user_id = $2 AND +ended_at = 0 AND expires_at > $3 ORDER BY id`
	anyOfBoth    query = `SELECT id FROM session WHERE client_key = $1 AND user_id = $2 LIMIT 1`
	deniedAfter  query = `SELECT client_key, denied_by, denied_at FROM denied_client WHERE client_key > $1 ORDER BY client_key LIMIT $2`
	allowClient  query = `DELETE FROM denied_client WHERE client_key = $1`
)

// LiveSessions lists the sessions that nobody has ended and whose time is not over; those that end first come first.
func (tx *Tx) LiveSessions(q page.Query) ([]Session, page.Key, error) {
	since := micros(tx.now)
	if n, err := strconv.ParseInt(at(q.After, 0), 10, 64); err == nil {
		since = max(since, n)
	}
	rows, err := list(tx, liveSessions, scanSession, since, at(q.After, 1), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(s Session) page.Key {
		return page.Key{strconv.FormatInt(micros(s.ExpiresAt), 10), s.ID}
	})
	return rows, next, nil
}

// Sessions lists all sessions whose rows are there, the ended ones too, oldest first.
func (tx *Tx) Sessions(q page.Query) ([]Session, page.Key, error) {
	return sessionPage(q)(list(tx, allSessions, scanSession, at(q.After, 0), q.Limit+1))
}

// SessionsOf lists the sessions of a person, oldest first: the live ones, or all whose rows are there.
func (tx *Tx) SessionsOf(userID string, ended bool, q page.Query) ([]Session, page.Key, error) {
	if ended {
		return sessionPage(q)(list(tx, allOfUser, scanSession, userID, at(q.After, 0), q.Limit+1))
	}
	return sessionPage(q)(list(tx, liveOfUser, scanSession, userID, at(q.After, 0), micros(tx.now), q.Limit+1))
}

func sessionPage(q page.Query) func([]Session, error) ([]Session, page.Key, error) {
	return func(rows []Session, err error) ([]Session, page.Key, error) {
		if err != nil {
			return nil, nil, err
		}
		rows, next := page.Trim(rows, q.Limit, func(s Session) page.Key { return page.Key{s.ID} })
		return rows, next, nil
	}
}

// Client is a client registration as its live sessions show it. A registration that nobody has approved leaves no row.
type Client struct {
	Key      string
	Name     string // as it calls itself
	Sessions int64
	SeenAt   time.Time
}

func scanClient(r row) (c Client, err error) {
	var seen int64
	err = r.Scan(&c.Key, &c.Name, &c.Sessions, &seen)
	c.SeenAt = fromMicros(seen)
	return c, err
}

// Clients lists the client registrations that have live sessions; of one person, unless userID is empty.
func (tx *Tx) Clients(userID string, q page.Query) (rows []Client, next page.Key, err error) {
	if userID == "" {
		rows, err = list(tx, clientsAfter, scanClient, at(q.After, 0), micros(tx.now), q.Limit+1)
	} else {
		rows, err = list(tx, clientsOf, scanClient, userID, at(q.After, 0), micros(tx.now), q.Limit+1)
	}
	if err != nil {
		return nil, nil, err
	}
	rows, next = page.Trim(rows, q.Limit, func(c Client) page.Key { return page.Key{c.Key} })
	return rows, next, nil
}

// LiveSessionsOfClientAndUser lists the ids of a person's live sessions of one client registration.
func (tx *Tx) LiveSessionsOfClientAndUser(clientKey, userID string) ([]string, error) {
	return list(tx, liveOfBoth, scanText, clientKey, userID, micros(tx.now))
}

// HadSession says whether a person has or had a session of a client registration.
func (tx *Tx) HadSession(clientKey, userID string) (bool, error) {
	_, err := get(tx, anyOfBoth, scanText, clientKey, userID)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// DeniedClient is a client registration on the deny list.
type DeniedClient struct {
	Key string
	By  string
	At  time.Time
}

// DeniedClients lists the deny list.
func (tx *Tx) DeniedClients(q page.Query) ([]DeniedClient, page.Key, error) {
	scan := func(r row) (d DeniedClient, err error) {
		var at int64
		err = r.Scan(&d.Key, &d.By, &at)
		d.At = fromMicros(at)
		return d, err
	}
	rows, err := list(tx, deniedAfter, scan, at(q.After, 0), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(d DeniedClient) page.Key { return page.Key{d.Key} })
	return rows, next, nil
}

// AllowClient takes a client registration off the deny list; ErrNotFound.
func (tx *Tx) AllowClient(key string) error { return one(tx.exec(allowClient, key)) }
