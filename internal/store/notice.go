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

// RoleUse says that role credentials given out under a session may be in use until a time.
type RoleUse struct {
	SessionID string
	Account   string
	Set       string // permission set's ARN
	Until     time.Time
}

const (
	putRoleUse query = `INSERT INTO role_use (session_id, account, permission_set, until) VALUES ($1, $2, $3, $4)
		ON CONFLICT (session_id, account, permission_set) DO UPDATE SET until = CASE WHEN excluded.until > role_use.until THEN excluded.until ELSE role_use.until END`
	rolesInUse query = `SELECT count(*) FROM role_use WHERE until > $1 AND session_id IN (SELECT id FROM session WHERE id = $2 UNION ALL SELECT id FROM session WHERE parent_id = $3)`
	pruneUses  query = `DELETE FROM role_use WHERE (session_id, account, permission_set) IN (SELECT session_id, account, permission_set FROM role_use WHERE until < $1 ORDER BY until LIMIT $2)`
)

// PutRoleUse stores until when credentials of a role may be in use; an earlier time than is known changes nothing.
func (tx *Tx) PutRoleUse(u RoleUse) error {
	_, err := tx.exec(putRoleUse, u.SessionID, u.Account, u.Set, micros(u.Until))
	return err
}

// RolesInUse counts the roles whose credentials, given out under a session or its children, may be in use.
func (tx *Tx) RolesInUse(sessionID string) (int64, error) {
	return get(tx, rolesInUse, func(r row) (n int64, err error) { err = r.Scan(&n); return n, err }, micros(tx.now), sessionID, sessionID)
}
