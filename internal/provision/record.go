package provision

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// Pin keeps a role's texts and says what the role is by their hashes.
func Pin(tx *store.Tx, account arn.AccountID, r Role) (s store.RoleSpec, err error) {
	s.SessionDuration, s.RelayState = r.SessionDuration, r.RelayState
	if s.Trust, err = put(tx, r.Trust); err != nil {
		return s, err
	}
	if s.Inline, err = put(tx, r.Inline); err != nil {
		return s, err
	}
	for _, m := range r.Managed { // as many as a permission set may have
		hash, err := put(tx, m.Document)
		if err != nil {
			return s, err
		}
		s.Managed = append(s.Managed, store.PinnedPolicy{ARN: m.ARN, Document: hash})
	}
	for _, c := range r.Customer {
		s.Customer = append(s.Customer, account.PolicyARN(c.Path, c.Name))
	}
	switch b := r.Boundary; {
	case b == nil:
		return s, nil
	case b.Managed.ARN == "":
		s.Boundary = &store.PinnedPolicy{ARN: account.PolicyARN(b.Customer.Path, b.Customer.Name)}
		return s, nil
	}
	hash, err := put(tx, r.Boundary.Managed.Document)
	s.Boundary = &store.PinnedPolicy{ARN: r.Boundary.Managed.ARN, Document: hash}
	return s, err
}

func put(tx *store.Tx, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	hash, err := tx.PutDocument(text)
	return hash, wrap(err, "keep policy")
}

// Unpin is the role that a row tells of, with the texts that load finds by their hashes.
func Unpin(row store.Role, load func(hash string) (string, error)) (Role, error) {
	var failed error
	text := func(hash string) string {
		if hash == "" || failed != nil {
			return ""
		}
		t, err := load(hash)
		failed = err
		return t
	}
	r := Role{
		Name: row.Name, Path: row.Path, Set: row.Set, Revision: row.Revision, Trust: text(row.Spec.Trust), Inline: text(row.Spec.Inline),
		SessionDuration: row.Spec.SessionDuration, RelayState: row.Spec.RelayState,
	}
	for _, m := range row.Spec.Managed {
		r.Managed = append(r.Managed, Policy{ARN: m.ARN, Document: text(m.Document)})
	}
	for _, c := range row.Spec.Customer {
		r.Customer = append(r.Customer, reference(c))
	}
	switch b := row.Spec.Boundary; {
	case b == nil:
	case b.Document == "":
		r.Boundary = &Boundary{Customer: reference(b.ARN)}
	default:
		r.Boundary = &Boundary{Managed: Policy{ARN: b.ARN, Document: text(b.Document)}}
	}
	return r, failed
}

// reference is the name and the path in the ARN of a customer managed policy: arn:aws:iam::ACCOUNT:policy/PATH/NAME.
func reference(policyARN string) store.CustomerPolicy {
	a, _ := arn.Parse(policyARN) // we made it; what is none has no name, and equals nothing
	whole := strings.TrimPrefix(a.Resource, "policy")
	at := strings.LastIndexByte(whole, '/') + 1
	return store.CustomerPolicy{Path: whole[:at], Name: whole[at:]}
}

// recorded is the role as it was provisioned last, word for word.
func recorded(tx *store.Tx, p store.Provisioned) (Role, error) {
	row := store.Role{Account: p.Account, Name: p.Name, Path: p.Path, Set: p.Set, Revision: p.Revision, Spec: p.Spec}
	return Unpin(row, func(hash string) (string, error) {
		text, err := tx.Document(hash)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return "", fmt.Errorf("load policy: %w", err)
		}
		if err != nil || digest(text) != hash {
			return "", fault.Conflictf("The text %s, which role %s had when it was provisioned, was changed or deleted in Sallyport's own database. Restore the database from a backup.", hash, p.Name)
		}
		return text, nil
	})
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
