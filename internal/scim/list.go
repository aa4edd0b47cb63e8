package scim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	filter "github.com/scim2/filter-parser/v2"

	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// listing is a ListResponse: in AWS's old form, whose total is the number that is shown, or with cursors.
type listing struct {
	Schemas      []string `json:"schemas"`
	TotalResults *int     `json:"totalResults,omitempty"`
	ItemsPerPage int      `json:"itemsPerPage"`
	StartIndex   *int     `json:"startIndex,omitempty"`
	NextCursor   *string  `json:"nextCursor,omitempty"`
	Resources    []any    `json:"Resources"`
}

// asked is what a list is asked for.
type asked struct {
	conditions map[string]string // nil: no filter
	q          page.Query
	scope      string
	cursor     bool
}

func (c *call) asked(filters ...[]string) (a asked, err error) {
	values, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return a, fault.Invalidf("The query string is malformed.")
	}
	a.q.Limit = maxPage
	if text := values.Get("count"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return a, fault.Invalidf("count must be a number.")
		}
		a.q.Limit = max(0, min(n, maxPage))
	}
	if text := values.Get("filter"); text != "" {
		if a.conditions, err = conditions(text, filters); err != nil {
			return a, err
		}
	}
	a.scope = "scim/" + c.op.name + "/" + c.from.ID + "/" + values.Get("filter")
	if a.cursor = values.Has("cursor"); a.cursor {
		a.q.After, err = c.s.Pages.Open(a.scope, values.Get("cursor"))
	}
	return a, err
}

// conditions are those of a filter in AWS's dialect: eq joined by and, over one of the sets of attributes.
func conditions(text string, allowed [][]string) (map[string]string, error) {
	bad := fault.Invalidf("Invalid Filter format").WithReason("invalidFilter")
	if len(text) > maxPath {
		return nil, bad
	}
	e, err := filter.ParseFilterNumber([]byte(text))
	if err != nil {
		return nil, bad
	}
	out := map[string]string{}
	if !flatten(e, out) {
		return nil, bad
	}
	for _, set := range allowed {
		if len(set) != len(out) {
			continue
		}
		all := true
		for _, name := range set {
			_, ok := out[name]
			all = all && ok
		}
		if all {
			return out, nil
		}
	}
	return nil, bad
}

// flatten collects the conditions, by the names of their attributes in lower case.
func flatten(e filter.Expression, out map[string]string) bool {
	switch e := e.(type) {
	case *filter.LogicalExpression:
		return strings.EqualFold(string(e.Operator), string(filter.AND)) && flatten(e.Left, out) && flatten(e.Right, out)
	case *filter.AttributeExpression:
		value, ok := unescaped(e.CompareValue).(string)
		name := strings.ToLower(e.AttributePath.AttributeName)
		if part := e.AttributePath.SubAttributeName(); part != "" {
			name += "." + strings.ToLower(part)
		}
		if _, twice := out[name]; twice || !ok || !strings.EqualFold(string(e.Operator), string(filter.EQ)) {
			return false
		}
		out[name] = value
		return true
	}
	return false
}

// unescaped is a value of a filter. The parser leaves texts as they are written, and they are JSON's (RFC 7644 §3.4.2.2, case S06).
func unescaped(v any) any {
	text, ok := v.(string)
	if !ok {
		return v
	}
	if err := json.Unmarshal([]byte(`"`+text+`"`), &text); err != nil {
		return nil
	}
	return text
}

// answerList writes rows in the form that was asked for.
func (c *call) answerList(a asked, rows []any, next page.Key) answer {
	out := listing{Schemas: []string{listMessage}, ItemsPerPage: len(rows), Resources: append([]any{}, rows...)}
	if !a.cursor {
		out.TotalResults, out.StartIndex = new(len(rows)), new(1)
	} else if next != nil {
		out.NextCursor = new(c.s.Pages.Seal(a.scope, next))
	}
	return answer{http.StatusOK, out, ""}
}

func listUsers(c *call) (answer, error) {
	a, err := c.asked([]string{"username"}, []string{"externalid"}, []string{"groups.value"}, []string{"groups"}, []string{"id", "manager"}, []string{"id"})
	if err != nil {
		return answer{}, err
	}
	users, next, err := c.usersOf(a)
	if err != nil {
		return answer{}, err
	}
	rows := make([]any, 0, len(users))
	for _, u := range users {
		out, err := c.userOut(u)
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
		return wrapped(c.tx.UsersOfSource(c.from.StoreID, c.from.ID, a.q))
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
		return c.usersOfGroup(in["groups.value"]+in["groups"], a.q)
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

// seen are those of users that the token may see.
func (c *call) seen(rows []store.User) (out []store.User) {
	for _, u := range rows {
		if u.Source == "" || u.Source == c.from.ID {
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

func (c *call) usersOfGroup(group string, q page.Query) ([]store.User, page.Key, error) {
	if q.Limit == 0 {
		return nil, nil, nil
	}
	members, next, err := c.tx.Members(group, q)
	if err != nil {
		return nil, nil, fmt.Errorf("list members: %w", err)
	}
	var rows []store.User
	for _, m := range members { // at most a page
		some, err := found(directory.User(c.tx, c.from.StoreID, m.UserID))
		if err != nil {
			return nil, nil, err
		}
		rows = append(rows, some...)
	}
	return c.seen(rows), next, nil
}

func listGroups(c *call) (answer, error) {
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
	for _, g := range all {
		if g.Source != "" && g.Source != c.from.ID {
			continue
		}
		out, err := c.groupOut(g, false)
		if err != nil {
			return answer{}, err
		}
		rows = append(rows, out)
	}
	return c.answerList(a, rows, next), nil
}

func (c *call) groupsOf(a asked) (rows []store.Group, next page.Key, err error) {
	in := a.conditions
	user := in["members"] + in["members.value"]
	switch {
	case in == nil && a.q.Limit == 0:
	case in == nil:
		return wrapped(c.tx.GroupsOfSource(c.from.StoreID, c.from.ID, a.q))
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
		return c.groupsOfUser(user, a.q)
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
		if _, err := c.tx.MembershipOf(id, strings.ToLower(user)); err != nil {
			return nil, err
		}
	}
	return foundGroup(directory.Group(c.tx, c.from.StoreID, id))
}

func (c *call) groupsOfUser(user string, q page.Query) (rows []store.Group, next page.Key, err error) {
	memberships, next, err := c.tx.Memberships(strings.ToLower(user), q)
	if err != nil {
		return nil, nil, fmt.Errorf("list memberships: %w", err)
	}
	for _, m := range memberships { // at most a page
		some, err := foundGroup(directory.Group(c.tx, c.from.StoreID, m.GroupID))
		if err != nil {
			return nil, nil, err
		}
		rows = append(rows, some...)
	}
	return rows, next, nil
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
