package scim

import (
	"errors"
	"fmt"
	"strings"

	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/scim/resource"
	"sallyport/internal/store"
)

func listGroups(c *call) (answer, error) {
	if !c.strict() {
		return c.list(resource.Group)
	}
	a, err := c.asked([]string{"displayname"}, []string{"externalid"}, []string{"members"}, []string{"members.value"},
		[]string{"id", "members"}, []string{"id", "members.value"}, []string{"id"})
	if err != nil {
		return answer{}, err
	}
	all, next, err := c.groupsOf(a)
	if err != nil {
		return answer{}, err
	}
	rows := make([]any, 0, len(all))
	for i := range all {
		if all[i].StoreID == c.from.StoreID && c.sees(all[i].Source) {
			rows = append(rows, c.groupTree(&all[i], nil))
		}
	}
	return c.answerList(a, rows, next), nil
}

func (c *call) groupsOf(a asked) (rows []store.Group, next page.Key, err error) {
	in := a.conditions
	user := strings.ToLower(in["members"] + in["members.value"])
	if user != "" {
		if sees, err := c.seesUser(user); err != nil || !sees {
			return nil, nil, err
		}
	}
	switch {
	case in == nil && a.q.Limit == 0:
	case in == nil:
		return wrapped(c.tx.GroupsOfSource(c.sourced(a.q)))
	case in["displayname"] != "":
		rows, err = foundGroup(c.tx.GroupByName(c.from.StoreID, in["displayname"]))
	case in["externalid"] != "":
		var subject string
		if subject, err = c.tx.SubjectOf(c.from.StoreID, store.PrincipalGroup, store.ExternalID{Issuer: c.issuer(), ID: in["externalid"]}); err == nil {
			rows, err = foundGroup(c.tx.Group(subject))
		}
	case in["id"] != "":
		rows, err = c.groupWith(in["id"], user)
	case user != "" && a.q.Limit > 0:
		return wrapped(c.tx.GroupsOfUser(user, a.q))
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("look group up: %w", err)
	}
	return rows, nil, nil
}

// groupWith is the group, if the user is in it; "": whoever is.
func (c *call) groupWith(id, user string) ([]store.Group, error) {
	if user != "" {
		if _, err := c.tx.MembershipOf(id, user); err != nil {
			return nil, err
		}
	}
	return foundGroup(directory.Group(c.tx, c.from.StoreID, id))
}

func foundGroup(g store.Group, err error) ([]store.Group, error) {
	switch {
	case errors.Is(err, store.ErrNotFound) || fault.KindOf(err) == fault.NotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []store.Group{g}, nil
}
