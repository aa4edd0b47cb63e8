package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/arn"
)

// SCIMKind is what clients of a source remove.
type SCIMKind string

// The kinds.
const (
	SCIMUsers       SCIMKind = "USERS"
	SCIMGroups      SCIMKind = "GROUPS"
	SCIMMemberships SCIMKind = "MEMBERSHIPS"
)

// SCIMGuard is what the clients of a source have removed of late, of one kind.
type SCIMGuard struct {
	TenantID  string
	Kind      SCIMKind
	GroupID   string // of memberships: those of this group; "": of all groups
	Removed   []SCIMRemovals
	Owned     int // there were at least as many at CountedAt, with what had been removed
	CountedAt time.Time
	TrippedAt time.Time // zero: it lets removals through
	RefusedAt time.Time // the last refusal, kept to the minute
	TouchedAt time.Time
}

// Stops says whether the guard lets nothing through: it has refused something, and not so long ago that it has forgotten.
func (g SCIMGuard) Stops(now time.Time, memory time.Duration) bool {
	return !g.RefusedAt.IsZero() && now.Before(g.RefusedAt.Add(memory))
}

// Total is how many were removed after a time.
func (g SCIMGuard) Total(after time.Time) (n int) {
	for _, r := range g.Removed {
		if r.From.After(after) {
			n += r.N
		}
	}
	return n
}

// SCIMRemovals are removals in a stretch of time.
type SCIMRemovals struct {
	From time.Time `json:"from"`
	N    int       `json:"n"`
}

// SCIMApproval is until when, and by whom, removals of any number by a tenant are approved.
type SCIMApproval struct {
	TenantID string
	Until    time.Time
	By       string
}

const guardColumns = `tenant_id, kind, group_id, removed, owned, counted_at, tripped_at, refused_at, touched_at`

const (
	guardOf  query = `SELECT ` + guardColumns + ` FROM scim_guard WHERE tenant_id = $1 AND kind = $2 AND group_id = $3`
	putGuard query = `INSERT INTO scim_guard (` + guardColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (tenant_id, kind, group_id) DO UPDATE SET removed = excluded.removed, owned = excluded.owned, counted_at = excluded.counted_at, tripped_at = excluded.tripped_at, refused_at = excluded.refused_at, touched_at = excluded.touched_at`
	guardsRefused query = `SELECT ` + guardColumns + ` FROM scim_guard WHERE refused_at > $1 ORDER BY refused_at LIMIT $2`
	clearGuards   query = `DELETE FROM scim_guard WHERE tenant_id = $1`
	pruneGuards   query = `DELETE FROM scim_guard WHERE touched_at < $1`

	approvals  query = `SELECT id, approved_until, approved_by FROM scim_tenant WHERE approved_until > $1 ORDER BY approved_until LIMIT $2`
	approvalOf query = `SELECT id, approved_until, approved_by FROM scim_tenant WHERE id = $1`
	approve    query = `UPDATE scim_tenant SET approved_until = $1, approved_by = $2 WHERE id = $3`

	countUsersOwned       query = `SELECT COUNT(*) FROM (SELECT 1 FROM directory_user WHERE store_id = $1 AND source = $2 LIMIT $3) AS u`
	countGroupsOwned      query = `SELECT COUNT(*) FROM (SELECT 1 FROM directory_group WHERE store_id = $1 AND source = $2 LIMIT $3) AS g`
	countMembershipsOwned query = `SELECT COUNT(*) FROM (SELECT 1 FROM directory_group g JOIN membership m ON m.group_id = g.id WHERE g.store_id = $1 AND g.source = $2 LIMIT $3) AS counted`
	countMembersOf        query = `SELECT COUNT(*) FROM (SELECT 1 FROM membership WHERE group_id = $1 LIMIT $2) AS m`
)

func scanGuard(r row) (g SCIMGuard, err error) {
	var removed string
	var counted, tripped, refused, touched int64
	if err := r.Scan(&g.TenantID, &g.Kind, &g.GroupID, &removed, &g.Owned, &counted, &tripped, &refused, &touched); err != nil {
		return g, err
	}
	g.CountedAt, g.TrippedAt, g.RefusedAt, g.TouchedAt = fromMicros(counted), fromMicros(tripped), fromMicros(refused), fromMicros(touched)
	return g, json.Unmarshal([]byte(removed), &g.Removed)
}

// SCIMGuard is what is known of a source's removals of a kind, held until the transaction ends: nobody else adds to it meanwhile.
func (tx *Tx) SCIMGuard(tenant string, kind SCIMKind, group string) (SCIMGuard, error) {
	g, err := getLocked(tx, guardOf, scanGuard, tenant, kind, group)
	if errors.Is(err, ErrNotFound) {
		return SCIMGuard{TenantID: tenant, Kind: kind, GroupID: group}, nil
	}
	return g, err
}

// PutSCIMGuard stores what is known of a source's removals of a kind.
func (tx *Tx) PutSCIMGuard(g SCIMGuard) error {
	removed, err := json.Marshal(append([]SCIMRemovals{}, g.Removed...))
	if err != nil {
		return fmt.Errorf("encode removals: %w", err)
	}
	_, err = tx.exec(putGuard, g.TenantID, g.Kind, g.GroupID, string(removed), g.Owned, micros(g.CountedAt), micros(g.TrippedAt), micros(g.RefusedAt), micros(tx.now))
	return err
}

// SCIMGuardsRefused lists up to limit guards that have refused something since.
func (tx *Tx) SCIMGuardsRefused(since time.Time, limit int) ([]SCIMGuard, error) {
	return list(tx, guardsRefused, scanGuard, micros(since), limit)
}

// ClearSCIMGuards forgets a source's removals.
func (tx *Tx) ClearSCIMGuards(tenant string) error {
	_, err := tx.exec(clearGuards, tenant)
	return err
}

// PruneSCIMGuards forgets removals that nothing was added to since.
func (tx *Tx) PruneSCIMGuards(since time.Time) error {
	_, err := tx.exec(pruneGuards, micros(since))
	return err
}

// SCIMApproval is the last approval of a tenant's removals, be it over or not; ErrNotFound without the tenant.
func (tx *Tx) SCIMApproval(tenant string) (SCIMApproval, error) {
	return get(tx, approvalOf, scanApproval, tenant)
}

func scanApproval(r row) (a SCIMApproval, err error) {
	var until int64
	err = r.Scan(&a.TenantID, &until, &a.By)
	a.Until = fromMicros(until)
	return a, err
}

// SCIMApprovals lists up to limit approvals that last longer than to a time.
func (tx *Tx) SCIMApprovals(after time.Time, limit int) ([]SCIMApproval, error) {
	return list(tx, approvals, scanApproval, micros(after), limit)
}

// ApproveSCIM stores an approval of a tenant's removals; ErrNotFound.
func (tx *Tx) ApproveSCIM(a SCIMApproval) error {
	return one(tx.exec(approve, micros(a.Until), a.By, a.TenantID))
}

// CountOwned counts, up to a bound, what comes from a tenant: users, groups, or memberships of its groups.
func (tx *Tx) CountOwned(kind SCIMKind, storeID arn.StoreID, tenant string, bound int) (int, error) {
	q := countUsersOwned
	switch kind {
	case SCIMGroups:
		q = countGroupsOwned
	case SCIMMemberships:
		q = countMembershipsOwned
	}
	return get(tx, q, scanCount, storeID, tenant, bound)
}

// CountMembers counts the memberships of a group, up to a bound.
func (tx *Tx) CountMembers(group string, bound int) (int, error) {
	return get(tx, countMembersOf, scanCount, group, bound)
}
