package store

import (
	"errors"
	"time"
)

// PermissionSetDetails is a permission set with everything that it is made of.
type PermissionSetDetails struct {
	PermissionSet
	Managed    []string      // ARNs, sorted
	InlineText string        // "": none
	Tags       []Tag         // by key
	MaxMFAAge  time.Duration // 0: any
	Accounts   int           // in which it is provisioned
	Outdated   int           // of these, those that have an older revision and are not closed
}

// MaxDetails is how many permission sets Details takes.
const MaxDetails = 25

const (
	setPoliciesBetween query = `SELECT permission_set, arn FROM permission_set_policy WHERE permission_set BETWEEN $1 AND $2 ORDER BY permission_set, arn`
	tagsBetween        query = `SELECT resource, key, value FROM tag WHERE resource BETWEEN $1 AND $2 ORDER BY resource, key`
	stepUpsBetween     query = `SELECT permission_set, max_age FROM step_up WHERE instance_id = $1 AND permission_set BETWEEN $2 AND $3`
	rolesBetween       query = `SELECT p.id, COUNT(*), SUM(CASE WHEN r.revision = p.revision OR a.status <> 'ACTIVE' THEN 0 ELSE 1 END) FROM permission_set p JOIN role r ON r.permission_set = p.id LEFT JOIN account a ON a.id = r.account_id WHERE p.id BETWEEN $1 AND $2 GROUP BY p.id`
	documentsByHash    query = `SELECT hash, text FROM policy_document WHERE hash IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)`
)

// Details adds to permission sets of one instance what is kept beside them. They are sorted by id, with none left out between the
// first and the last, and at most MaxDetails.
func (tx *Tx) Details(sets []PermissionSet) ([]PermissionSetDetails, error) {
	if len(sets) == 0 {
		return nil, nil
	}
	out, of := make([]PermissionSetDetails, len(sets)), map[string]*PermissionSetDetails{} // by id and by ARN
	for i, p := range sets {
		out[i].PermissionSet = p
		of[p.ID], of[p.ARN()] = &out[i], &out[i]
	}
	first, last := sets[0].PermissionSet, sets[len(sets)-1].PermissionSet
	return out, errors.Join(
		tx.each(setPoliciesBetween, func(r row) (bool, error) {
			var id, policy string
			err := r.Scan(&id, &policy)
			if p := of[id]; p != nil {
				p.Managed = append(p.Managed, policy)
			}
			return true, err
		}, first.ID, last.ID),
		tx.each(tagsBetween, func(r row) (bool, error) {
			var resource string
			var t Tag
			err := r.Scan(&resource, &t.Key, &t.Value)
			if p := of[resource]; p != nil {
				p.Tags = append(p.Tags, t)
			}
			return true, err
		}, first.ARN(), last.ARN()),
		tx.each(stepUpsBetween, func(r row) (bool, error) {
			var id string
			var age int64
			err := r.Scan(&id, &age)
			if p := of[id]; p != nil {
				p.MaxMFAAge = time.Duration(age) * time.Microsecond
			}
			return true, err
		}, first.Instance, first.ID, last.ID),
		tx.each(rolesBetween, func(r row) (bool, error) {
			var id string
			var accounts, outdated int
			err := r.Scan(&id, &accounts, &outdated)
			if p := of[id]; p != nil {
				p.Accounts, p.Outdated = accounts, outdated
			}
			return true, err
		}, first.ID, last.ID),
		tx.inlineTexts(out),
	)
}

func (tx *Tx) inlineTexts(sets []PermissionSetDetails) error {
	hashes := make([]any, MaxDetails)
	for i := range hashes {
		hashes[i] = ""
	}
	for i, p := range sets {
		hashes[i] = p.Inline
	}
	texts := map[string]string{}
	err := tx.each(documentsByHash, func(r row) (bool, error) {
		var hash, text string
		err := r.Scan(&hash, &text)
		texts[hash] = text
		return true, err
	}, hashes...)
	for i := range sets {
		sets[i].InlineText = texts[sets[i].Inline]
	}
	return err
}
