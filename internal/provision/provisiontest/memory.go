package provisiontest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/provision"
)

// Memory is a backend that keeps roles in memory, where others may get at them. The zero Memory is ready.
type Memory struct {
	mu    sync.Mutex
	roles map[arn.AccountID]map[string]provision.Role
	cuts  map[string]provision.Revocation
	deaf  error // what InspectRoles and Revoke fail with
}

// EnsureRole makes the role what is wanted.
func (m *Memory) EnsureRole(ctx context.Context, account arn.AccountID, want provision.Role) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if was, ok := m.roles[account][want.Name]; ok && (was.Path != want.Path || was.Set != want.Set) {
		return fault.Conflictf("Role %s of account %s is another.", want.Name, account)
	}
	m.put(account, want)
	return nil
}

func (m *Memory) put(account arn.AccountID, r provision.Role) {
	if m.roles == nil {
		m.roles = map[arn.AccountID]map[string]provision.Role{}
	}
	if m.roles[account] == nil {
		m.roles[account] = map[string]provision.Role{}
	}
	r.Managed, r.Customer = slices.Clone(r.Managed), slices.Clone(r.Customer)
	m.roles[account][r.Name] = r
}

// RemoveRole removes the role.
func (m *Memory) RemoveRole(ctx context.Context, account arn.AccountID, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.roles[account], name)
	return nil
}

// Revoke keeps the revocation. It is as slow, and leaves as much, as a cloud may.
func (m *Memory) Revoke(ctx context.Context, r provision.Revocation) (provision.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return provision.Outcome{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cuts == nil {
		m.cuts = map[string]provision.Revocation{}
	}
	m.cuts[r.ID] = r
	return provision.Outcome{Within: time.Minute, Residue: []string{"Sessions of its console go on for up to an hour."}}, m.deaf
}

// Revoked is the revocation with the id, if the backend was told of it.
func (m *Memory) Revoked(id string) (r provision.Revocation, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok = m.cuts[id]
	return r, ok
}

// InspectRoles lists the roles.
func (m *Memory) InspectRoles(_ context.Context, account arn.AccountID, after string, limit int) (out []provision.Role, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, r := range m.roles[account] {
		if name > after {
			r.Managed, r.Customer = slices.Clone(r.Managed), slices.Clone(r.Customer)
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b provision.Role) int { return strings.Compare(a.Name, b.Name) })
	return out[:min(limit, len(out))], m.deaf
}

// Tamper changes a role, as somebody with access to the account could.
func (m *Memory) Tamper(account arn.AccountID, name string, how func(*provision.Role)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.roles[account][name]
	r.Managed, r.Customer = slices.Clone(r.Managed), slices.Clone(r.Customer)
	how(&r)
	m.put(account, r)
}

// Take removes a role behind Sallyport's back.
func (m *Memory) Take(account arn.AccountID, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.roles[account], name)
}

// Deafen makes the backend fail to tell of its roles and to revoke; nil mends it.
func (m *Memory) Deafen(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deaf = err
}
