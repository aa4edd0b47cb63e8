package store

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// UserStatus tells whether a person may sign in.
type UserStatus string

// The states of a user.
const (
	UserEnabled  UserStatus = "ENABLED"
	UserDisabled UserStatus = "DISABLED"
)

// User is a person of an identity store.
type User struct {
	ID          string
	StoreID     arn.StoreID
	UserName    string // as written; compared without case
	DisplayName string
	Status      UserStatus
	Revision    int64  // rises with every write
	Source      string // the SCIM tenant that it comes from; "": made here
	UserAttrs
	Trail
}

// Trail says who made a record and who changed it last; the names are ARNs or service principals.
type Trail struct {
	CreatedAt, UpdatedAt time.Time
	CreatedBy, UpdatedBy string
}

// UserAttrs are the attributes of a user that nothing is looked up by, in one JSON column. Absent is "" or nil:
// the API knows no empty strings.
type UserAttrs struct {
	Name              Name                       `json:"name"`
	NickName          string                     `json:"nickName,omitempty"`
	ProfileURL        string                     `json:"profileUrl,omitempty"`
	UserType          string                     `json:"userType,omitempty"`
	Title             string                     `json:"title,omitempty"`
	PreferredLanguage string                     `json:"preferredLanguage,omitempty"`
	Locale            string                     `json:"locale,omitempty"`
	Timezone          string                     `json:"timezone,omitempty"`
	Website           string                     `json:"website,omitempty"`
	Birthdate         string                     `json:"birthdate,omitempty"`
	Emails            []TypedValue               `json:"emails,omitempty"`
	PhoneNumbers      []TypedValue               `json:"phoneNumbers,omitempty"`
	Addresses         []Address                  `json:"addresses,omitempty"`
	Photos            []TypedValue               `json:"photos,omitempty"`
	Roles             []TypedValue               `json:"roles,omitempty"`
	Extensions        map[string]json.RawMessage `json:"extensions,omitempty"`
	ExternalIDs       []ExternalID               `json:"externalIds,omitempty"`
}

// Name is a person's name in its parts.
type Name struct {
	Formatted       string `json:"formatted,omitempty"`
	FamilyName      string `json:"familyName,omitempty"`
	GivenName       string `json:"givenName,omitempty"`
	MiddleName      string `json:"middleName,omitempty"`
	HonorificPrefix string `json:"honorificPrefix,omitempty"`
	HonorificSuffix string `json:"honorificSuffix,omitempty"`
}

// TypedValue is one of a person's mail addresses, phone numbers, photos or roles. In AWS's APIs only photos have a Display.
type TypedValue struct {
	Value   string `json:"value,omitempty"`
	Type    string `json:"type,omitempty"`
	Display string `json:"display,omitempty"`
	Primary bool   `json:"primary,omitempty"`
}

// Address is a postal address.
type Address struct {
	StreetAddress string `json:"streetAddress,omitempty"`
	Locality      string `json:"locality,omitempty"`
	Region        string `json:"region,omitempty"`
	PostalCode    string `json:"postalCode,omitempty"`
	Country       string `json:"country,omitempty"`
	Formatted     string `json:"formatted,omitempty"`
	Type          string `json:"type,omitempty"`
	Primary       bool   `json:"primary,omitempty"`
}

// ExternalID is the name of a user or group at the source that it came from.
type ExternalID struct {
	Issuer string `json:"issuer"`
	ID     string `json:"id"`
}

// PrimaryEmail is the address that is unique in the store, or "".
func (u UserAttrs) PrimaryEmail() string {
	for _, e := range u.Emails {
		if e.Primary {
			return e.Value
		}
	}
	return ""
}

// ARN is the user's ARN.
func (u User) ARN() string { return arn.DirectoryUserARN(u.ID) }

const userColumns = `id, store_id, user_name, display_name, status, revision, attrs, created_at, created_by, updated_at, updated_by, source`

const (
	insertUser query = `INSERT INTO directory_user (` + userColumns + `, user_name_ci, email_ci, event_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING`
	updateUser query = `UPDATE directory_user SET user_name = $1, user_name_ci = $2, email_ci = $3, display_name = $4, status = $5, revision = $6, attrs = $7, updated_at = $8, updated_by = $9, source = $10 WHERE id = $11`
	deleteUser query = `DELETE FROM directory_user WHERE id = $1`

	userByID    query = `SELECT ` + userColumns + ` FROM directory_user WHERE id = $1`
	userByName  query = `SELECT ` + userColumns + ` FROM directory_user WHERE store_id = $1 AND user_name_ci = $2`
	userByEmail query = `SELECT ` + userColumns + ` FROM directory_user WHERE store_id = $1 AND email_ci = $2`
	countUsers  query = `SELECT COUNT(*) FROM (SELECT 1 FROM directory_user WHERE store_id = $1 LIMIT $2) AS u`
	usersAfter  query = `SELECT ` + userColumns + ` FROM directory_user WHERE store_id = $1 AND id > $2 ORDER BY id LIMIT $3`
)

func scanUser(r row) (u User, err error) {
	var attrs string
	var created, updated int64
	err = r.Scan(&u.ID, &u.StoreID, &u.UserName, &u.DisplayName, &u.Status, &u.Revision, &attrs, &created, &u.CreatedBy, &updated, &u.UpdatedBy, &u.Source)
	if err != nil {
		return u, err
	}
	u.CreatedAt, u.UpdatedAt = fromMicros(created), fromMicros(updated)
	return u, json.Unmarshal([]byte(attrs), &u.UserAttrs)
}

// InsertUser adds a user as given; ErrExists when its id, its name or its primary mail address is taken.
func (tx *Tx) InsertUser(u User) error {
	attrs, err := json.Marshal(u.UserAttrs)
	if err != nil {
		return fmt.Errorf("encode user: %w", err)
	}
	err = added(tx.exec(insertUser, u.ID, u.StoreID, u.UserName, u.DisplayName, u.Status, u.Revision, string(attrs), micros(u.CreatedAt), u.CreatedBy, micros(u.UpdatedAt), u.UpdatedBy, u.Source,
		fold(u.UserName), nullable(fold(u.PrimaryEmail())), tx.cause.Event))
	if err != nil {
		return err
	}
	if err := tx.insertEmails(u); err != nil {
		return err
	}
	return tx.markUser(u.ID, false)
}

// UpdateUser replaces all of a user but its id, store and creation; ErrNotFound, ErrExists.
func (tx *Tx) UpdateUser(u User) error {
	attrs, err := json.Marshal(u.UserAttrs)
	if err != nil {
		return fmt.Errorf("encode user: %w", err)
	}
	if err := tx.userWas(u); err != nil {
		return err
	}
	err = one(tx.exec(updateUser, u.UserName, fold(u.UserName), nullable(fold(u.PrimaryEmail())), u.DisplayName, u.Status, u.Revision, string(attrs), micros(u.UpdatedAt), u.UpdatedBy, u.Source, u.ID))
	if err != nil {
		return err
	}
	if _, err := tx.exec(deleteEmails, u.ID); err != nil {
		return err
	}
	if err := tx.insertEmails(u); err != nil {
		return err
	}
	return tx.markUser(u.ID, u.Status == UserDisabled)
}

// DeleteUser removes the user's row, and what finds it by mail address, alone; ErrNotFound.
func (tx *Tx) DeleteUser(id string) error {
	if err := tx.markUser(id, true); err != nil {
		return err
	}
	if _, err := tx.exec(deleteEmails, id); err != nil {
		return err
	}
	if err := tx.was(userGone, id); err != nil {
		return err
	}
	return one(tx.exec(deleteUser, id))
}

// User is the user with the id; ErrNotFound.
func (tx *Tx) User(id string) (User, error) { return get(tx, userByID, scanUser, id) }

// UserByName is the user with the name, compared without case; ErrNotFound.
func (tx *Tx) UserByName(storeID arn.StoreID, userName string) (User, error) {
	return get(tx, userByName, scanUser, storeID, fold(userName))
}

// UserByEmail is the user with the primary mail address, compared without case; ErrNotFound.
func (tx *Tx) UserByEmail(storeID arn.StoreID, email string) (User, error) {
	return get(tx, userByEmail, scanUser, storeID, fold(email))
}

// Users lists the users of a store by id.
func (tx *Tx) Users(storeID arn.StoreID, q page.Query) ([]User, page.Key, error) {
	rows, err := list(tx, usersAfter, scanUser, storeID, at(q.After, 0), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(u User) page.Key { return page.Key{u.ID} })
	return rows, next, nil
}

// CountUsers counts the users of a store, up to a bound.
func (tx *Tx) CountUsers(storeID arn.StoreID, bound int) (int, error) {
	return get(tx, countUsers, scanCount, storeID, bound)
}

// added turns the count of an insert that leaves what is there alone into ErrExists when it added nothing. Unlike a
// violated constraint, that leaves the transaction whole; and where the row is one that the transaction can't see yet,
// PostgreSQL says that it must run again, in which it will: so a rule that looks before it inserts always sees its reason.
func added(n int64, err error) error {
	if err == nil && n == 0 {
		return ErrExists
	}
	return err
}

// RevisionText is how a revision of a user or group is shown: opaque to clients, different after every write.
func RevisionText(n int64) string { return strconv.FormatInt(n, 10) }

// SameName tells whether two names are one, as the unique indexes of users and groups see it.
func SameName(a, b string) bool { return fold(a) == fold(b) }

// fold maps a string to one representative of all strings that strings.EqualFold holds equal, so that a unique index
// compares without case. It depends on no locale and no database.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, s)
}

// nullable stores "" as NULL, which unique indexes pass over.
func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// at is a part of a page's key; "" at the start.
func at(k page.Key, i int) string {
	if i >= len(k) {
		return ""
	}
	return k[i]
}
