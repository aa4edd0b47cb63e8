package store

import (
	"encoding/json"
	"fmt"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/page"
)

// Application is an application that people reach through an instance.
type Application struct {
	arn.Application
	Provider  string // ARN
	Name      string
	Status    string // ENABLED or DISABLED
	CreatedAt time.Time
	ApplicationAttrs
}

// ApplicationAttrs are the parts of an application that nothing is looked up by.
type ApplicationAttrs struct {
	Description        string                 `json:"description,omitempty"`
	Visibility         string                 `json:"visibility"`
	Origin             string                 `json:"origin,omitempty"` // of the sign-in; "": none was said
	URL                string                 `json:"url,omitempty"`
	AssignmentOptional bool                   `json:"assignmentOptional,omitempty"` // every user may use it
	BackgroundSessions string                 `json:"backgroundSessions,omitempty"`
	Scopes             []ApplicationScope     `json:"scopes,omitempty"`      // by name
	ActorPolicy        json.RawMessage        `json:"actorPolicy,omitempty"` // of the authentication method IAM; nil: none
	Grants             map[string]GrantConfig `json:"grants,omitempty"`      // by grant type
}

// ApplicationScope is an access scope that an application may ask for.
type ApplicationScope struct {
	Name    string   `json:"name"`
	Targets []string `json:"targets,omitempty"` // ARNs
}

// GrantConfig is how an application may get tokens by a grant type. Each type has its own part of it.
type GrantConfig struct {
	RedirectURIs []string        `json:"redirectUris,omitempty"`
	Issuers      []GrantedIssuer `json:"issuers,omitempty"`
}

// GrantedIssuer is a trusted token issuer whose tokens an application takes.
type GrantedIssuer struct {
	Issuer    string   `json:"issuer,omitempty"` // ARN
	Audiences []string `json:"audiences,omitempty"`
}

const applicationColumns = `id, instance_id, account, provider, name, status, attrs, created_at`

const (
	insertApplication query = `INSERT INTO application (` + applicationColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`
	updateApplication query = `UPDATE application SET name = $1, status = $2, attrs = $3 WHERE id = $4`
	deleteApplication query = `DELETE FROM application WHERE id = $1`
	applicationByID   query = `SELECT ` + applicationColumns + ` FROM application WHERE id = $1`
	countApplications query = `SELECT COUNT(*) FROM (SELECT 1 FROM application WHERE instance_id = $1 LIMIT $2) AS a`
	applicationsAfter query = `SELECT ` + applicationColumns + ` FROM application WHERE instance_id = $1 AND id > $2
		AND ($3 = '' OR $3 = account) AND ($4 = '' OR $4 = provider) ORDER BY id LIMIT $5`
)

func scanApplication(r row) (a Application, err error) {
	var attrs string
	var at int64
	if err := r.Scan(&a.ID, &a.Instance, &a.Account, &a.Provider, &a.Name, &a.Status, &attrs, &at); err != nil {
		return a, err
	}
	a.CreatedAt = fromMicros(at)
	return a, json.Unmarshal([]byte(attrs), &a.ApplicationAttrs)
}

// InsertApplication adds an application.
func (tx *Tx) InsertApplication(a Application) error {
	attrs, err := json.Marshal(a.ApplicationAttrs)
	if err != nil {
		return fmt.Errorf("encode application: %w", err)
	}
	return added(tx.exec(insertApplication, a.ID, a.Instance, a.Account, a.Provider, a.Name, a.Status, string(attrs), micros(a.CreatedAt)))
}

// UpdateApplication replaces what may change of an application; ErrNotFound.
func (tx *Tx) UpdateApplication(a Application) error {
	attrs, err := json.Marshal(a.ApplicationAttrs)
	if err != nil {
		return fmt.Errorf("encode application: %w", err)
	}
	return one(tx.exec(updateApplication, a.Name, a.Status, string(attrs), a.ID))
}

// DeleteApplication removes an application and who is assigned to it; ErrNotFound.
func (tx *Tx) DeleteApplication(id string) error {
	if _, err := tx.exec(deleteApplicationAssignments, id); err != nil {
		return err
	}
	return one(tx.exec(deleteApplication, id))
}

// Application is the application with the id; ErrNotFound.
func (tx *Tx) Application(id string) (Application, error) {
	return get(tx, applicationByID, scanApplication, id)
}

// CountApplications counts the applications of an instance, up to a bound.
func (tx *Tx) CountApplications(i arn.Instance, bound int) (int, error) {
	return get(tx, countApplications, scanCount, i, bound)
}

// Applications lists the applications of an instance by id; an account or a provider narrows the list, "" does not.
func (tx *Tx) Applications(i arn.Instance, account arn.AccountID, provider string, q page.Query) ([]Application, page.Key, error) {
	rows, err := list(tx, applicationsAfter, scanApplication, i, at(q.After, 0), account, provider, q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(a Application) page.Key { return page.Key{a.ID} })
	return rows, next, nil
}
