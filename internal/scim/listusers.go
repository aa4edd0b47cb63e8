package scim

import (
	"errors"
	"fmt"
	"strings"

	"sallyport/internal/directory"
	"sallyport/internal/page"
	"sallyport/internal/scim/resource"
	"sallyport/internal/store"
)

func listUsers(c *call) (answer, error) {
	if !c.strict() {
		return c.list(resource.User)
	}
	a, err := c.asked([]string{"username"}, []string{"externalid"}, []string{"groups.value"}, []string{"groups"}, []string{"id", "manager"}, []string{"id"})
	if err != nil {
		return answer{}, err
	}
	users, next, err := c.usersOf(a)
	if err != nil {
		return answer{}, err
	}
	rows := make([]any, 0, len(users))
	for i := range users {
		out, err := c.userTree(&users[i], nil)
		if err != nil {
			return answer{}, err
		}
		rows = append(rows, out)
	}
	return c.answerList(a, rows, next), nil
}

// usersOf are the users of a list that the token may see.
func (c *call) usersOf(a asked) ([]store.User, page.Key, error) {
	in := a.conditions
	if in == nil {
		if a.q.Limit == 0 {
			return nil, nil, nil
		}
		return wrapped(c.tx.UsersOfSource(c.sourced(a.q)))
	}
	var rows []store.User
	var err error
	switch {
	case in["username"] != "":
		rows, err = found(c.tx.UserByName(c.from.StoreID, in["username"]))
	case in["externalid"] != "":
		rows, err = c.userByExternalID(in["externalid"])
	case in["id"] != "":
		rows, err = found(directory.User(c.tx, c.from.StoreID, in["id"]))
		rows = keepManaged(rows, in)
	case in["groups.value"] != "" || in["groups"] != "":
		if a.q.Limit == 0 {
			return nil, nil, nil
		}
		group := strings.ToLower(in["groups.value"] + in["groups"])
		if sees, err := c.seesGroup(group); err != nil || !sees {
			return nil, nil, err
		}
		all, next, err := wrapped(c.tx.UsersOfGroup(group, a.q))
		return c.seen(all), next, err
	}
	if err != nil {
		return nil, nil, fmt.Errorf("look user up: %w", err)
	}
	return c.seen(rows), nil, nil
}

func wrapped[T any](rows []T, next page.Key, err error) ([]T, page.Key, error) {
	if err != nil {
		err = fmt.Errorf("list: %w", err)
	}
	return rows, next, err
}

// seesUser says whether there is a user of the id whom the token may see; nobody is in a group, as far as it goes, who is none.
func (c *call) seesUser(id string) (bool, error) {
	rows, err := found(directory.User(c.tx, c.from.StoreID, id))
	return len(c.seen(rows)) > 0, err
}

// seesGroup is that of groups.
func (c *call) seesGroup(id string) (bool, error) {
	rows, err := foundGroup(directory.Group(c.tx, c.from.StoreID, id))
	return len(c.groupsRows(rows)) > 0, err
}

// seen are those of users that the token may see.
func (c *call) seen(rows []store.User) (out []store.User) {
	for _, u := range rows {
		if u.StoreID == c.from.StoreID && c.sees(u.Source) {
			out = append(out, u)
		}
	}
	return out
}

func (c *call) userByExternalID(id string) ([]store.User, error) {
	subject, err := c.tx.SubjectOf(c.from.StoreID, store.PrincipalUser, store.ExternalID{Issuer: c.issuer(), ID: id})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return found(c.tx.User(subject))
}

// keepManaged keeps users with the manager that a filter names, if it does.
func keepManaged(rows []store.User, in map[string]string) []store.User {
	want, ok := in["manager"]
	if !ok || len(rows) == 0 {
		return rows
	}
	if e := enterpriseOf(rows[0]); e.Manager == nil || e.Manager.Value != want {
		return nil
	}
	return rows
}
