package directory

import (
	"errors"
	"fmt"
	"strings"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// AddMember puts a user into a group; both must be of the identity store.
func AddMember(tx *store.Tx, storeID arn.StoreID, groupID, userID, by string) (store.Membership, error) {
	g, err := Group(tx, storeID, groupID)
	if err != nil {
		return store.Membership{}, err
	}
	joined, err := joinAll(tx, g, []string{userID}, "", by)
	if err == nil && len(joined) == 0 {
		err = fault.Conflictf("Member and Group relationship already exists.").WithReason(reasonTaken)
	}
	if err != nil {
		return store.Membership{}, err
	}
	return joined[0], membersChanged(tx, g, []string{userID}, by)
}

// Membership is a membership of the identity store.
func Membership(tx *store.Tx, storeID arn.StoreID, id string) (store.Membership, error) {
	m, err := tx.Membership(id)
	if errors.Is(err, store.ErrNotFound) || err == nil && m.StoreID != storeID {
		return store.Membership{}, fault.Missing("GROUP_MEMBERSHIP", id)
	}
	return m, wrap(err, "load membership")
}

// RemoveMember ends a membership.
func RemoveMember(tx *store.Tx, storeID arn.StoreID, id, by string) error {
	m, err := Membership(tx, storeID, id)
	if err != nil {
		return err
	}
	if err := tx.DeleteMembers(m.GroupID, []string{m.UserID}); err != nil {
		return fmt.Errorf("delete membership: %w", err)
	}
	return membersChanged(tx, store.Group{ID: m.GroupID}, []string{m.UserID}, by)
}

// Members says how the members of a group are to change, by the users' ids. Nobody is in both lists.
type Members struct {
	Join, Leave []string
	// Source, unless empty, is the one whose users alone may join and leave, besides users who were made here.
	Source string
}

// ChangeMembers changes the members of a group, however many, and returns the ids of those who really joined and left: who is
// in it already stays, and who is not in it is as wanted.
func ChangeMembers(tx *store.Tx, g store.Group, m Members, by string) (joined, left []string, err error) {
	all, err := joinAll(tx, g, m.Join, m.Source, by)
	if err != nil {
		return nil, nil, err
	}
	for _, one := range all {
		joined = append(joined, one.UserID)
	}
	if left, err = leaveAll(tx, g, m.Leave, m.Source); err != nil || len(joined)+len(left) == 0 {
		return nil, nil, err
	}
	return joined, left, membersChanged(tx, g, append(joined[:len(joined):len(joined)], left...), by)
}

func joinAll(tx *store.Tx, g store.Group, ids []string, source, by string) ([]store.Membership, error) {
	found, err := candidates(tx, g, ids)
	if err != nil {
		return nil, err
	}
	var all []store.Membership
	for _, id := range ids {
		c, ok := found[strings.ToLower(id)]
		if !ok || c.StoreID != g.StoreID || isOthers(c, source) {
			return nil, fault.Missing("USER", id)
		}
		if c.Membership != "" {
			continue
		}
		c.Membership = arn.NewUUID()
		found[c.UserID] = c // named again, is a member
		all = append(all, store.Membership{ID: c.Membership, StoreID: g.StoreID, GroupID: g.ID, UserID: c.UserID, CreatedAt: tx.Now(), CreatedBy: by})
	}
	if err := tx.InsertMemberships(all); err != nil {
		return nil, taken(err, "insert memberships", "Member and Group relationship already exists.")
	}
	return all, nil
}

// isOthers says whether a user comes from a source that is not the one.
func isOthers(c store.Candidate, source string) bool {
	return source != "" && c.Source != "" && c.Source != source
}

func leaveAll(tx *store.Tx, g store.Group, ids []string, source string) ([]string, error) {
	found, err := candidates(tx, g, ids)
	if err != nil {
		return nil, err
	}
	var gone []string
	for _, id := range ids {
		if c := found[strings.ToLower(id)]; c.Membership != "" && !isOthers(c, source) {
			delete(found, c.UserID)
			gone = append(gone, c.UserID)
		}
	}
	return gone, wrap(tx.DeleteMembers(g.ID, gone), "delete memberships")
}

// candidates are the users with the ids, by id. Ids are compared without case: some clients write UUIDs in capitals (case S01).
func candidates(tx *store.Tx, g store.Group, ids []string) (map[string]store.Candidate, error) {
	lower := make([]string, len(ids))
	for i, id := range ids {
		lower[i] = strings.ToLower(id)
	}
	rows, err := tx.Candidates(g.ID, lower)
	if err != nil {
		return nil, fmt.Errorf("look for members: %w", err)
	}
	found := make(map[string]store.Candidate, len(rows))
	for _, c := range rows {
		found[c.UserID] = c
	}
	return found, nil
}

// membersChanged notes what changed for the group, and for the credentials of its members, or, when they are many, for those that
// rest on what the group is granted.
func membersChanged(tx *store.Tx, g store.Group, users []string, by string) error {
	if err := tx.MembersChanged(g.ID, by); err != nil {
		return fmt.Errorf("note change of members: %w", err)
	}
	if len(users) > maxGrants {
		return groupGone(tx, g.ID)
	}
	keys := make([]string, len(users))
	for i, id := range users {
		keys[i] = "user:" + id
	}
	return wrap(tx.Changed(keys...), "record changes of users")
}
