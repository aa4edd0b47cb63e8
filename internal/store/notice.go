package store

import (
	"time"

	"sallyport/internal/page"
)

// NoticeKind is what a person is told of.
type NoticeKind string

// What people are told of.
const (
	DeviceAdded     NoticeKind = "DEVICE_ADDED"
	PasswordChanged NoticeKind = "PASSWORD_CHANGED"
	ClientApproved  NoticeKind = "CLIENT_APPROVED"
)

// Notice tells a person that something about their account has changed.
type Notice struct {
	ID         string
	UserID     string
	Kind       NoticeKind
	Detail     string // the device's or the client's name
	Subject    string // the device's id, the client's key
	IP         string
	CreatedAt  time.Time
	DisownedAt time.Time // zero: nobody has said that it was not them
}

const noticeColumns = `id, user_id, kind, detail, subject, ip, created_at, disowned_at`

const (
	insertNotice  query = `INSERT INTO notice (` + noticeColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)`
	noticeByID    query = `SELECT ` + noticeColumns + ` FROM notice WHERE id = $1`
	noticesBefore query = `SELECT ` + noticeColumns + ` FROM notice WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`
	disownNotice  query = `UPDATE notice SET disowned_at = $1 WHERE id = $2 AND disowned_at = 0`
	wipeNotices   query = `DELETE FROM notice WHERE user_id = $1`
	pruneNotices  query = `DELETE FROM notice WHERE id IN (SELECT id FROM notice WHERE created_at < $1 ORDER BY created_at LIMIT $2)`
)

func scanNotice(r row) (n Notice, err error) {
	var created, disowned int64
	err = r.Scan(&n.ID, &n.UserID, &n.Kind, &n.Detail, &n.Subject, &n.IP, &created, &disowned)
	n.CreatedAt, n.DisownedAt = fromMicros(created), fromMicros(disowned)
	return n, err
}

// InsertNotice adds a notice, made now, and returns it with its id.
func (tx *Tx) InsertNotice(n Notice) (Notice, error) {
	n.ID, n.CreatedAt = newID(tx.now), tx.now
	_, err := tx.exec(insertNotice, n.ID, n.UserID, n.Kind, n.Detail, n.Subject, n.IP, micros(n.CreatedAt))
	return n, err
}

// Notice is the notice with the id; ErrNotFound.
func (tx *Tx) Notice(id string) (Notice, error) { return get(tx, noticeByID, scanNotice, id) }

// Notices lists a person's notices, newest first.
func (tx *Tx) Notices(userID string, q page.Query) ([]Notice, page.Key, error) {
	before := at(q.After, 0)
	if before == "" {
		before = "g" // after every id, which are hexadecimal
	}
	rows, err := list(tx, noticesBefore, scanNotice, userID, before, q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(n Notice) page.Key { return page.Key{n.ID} })
	return rows, next, nil
}

// DisownNotice marks a notice as told by somebody else's deed; ErrNotFound when it is marked already.
func (tx *Tx) DisownNotice(id string) error { return one(tx.exec(disownNotice, micros(tx.now), id)) }
