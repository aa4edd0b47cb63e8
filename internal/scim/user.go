package scim

import (
	"errors"
	"fmt"
	"net/http"

	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/scim/resource"
	"sallyport/internal/store"
)

// users is the type of users in the token's dialect.
func (c *call) users() *resource.Type {
	if c.strict() {
		return resource.StrictUser
	}
	return resource.User
}

// sees says whether what comes from a source is the token's to see.
func (c *call) sees(source string) bool { return source == "" || source == c.from.ID }

// user is a user whom the token may see.
func (c *call) user() (store.User, error) {
	u, err := directory.User(c.tx, c.from.StoreID, c.id)
	if err == nil && !c.sees(u.Source) {
		err = fault.Missing("USER", c.id)
	}
	return u, err
}

// userBody reads the body as a user; nothing that is not to be written is taken from it.
func (c *call) userBody() (object, error) {
	in, err := c.users().Read(c.tree)
	if err != nil {
		return nil, err
	}
	if !c.declares(in, resource.UserURN) {
		return nil, fault.Invalidf("schemas must have %s.", resource.UserURN).WithReason("invalidSyntax")
	}
	if groups, _ := resource.Field(c.tree, "groups"); c.strict() && !isEmpty(groups) {
		return nil, fault.Invalidf("groups is read only: members are written at their group.").WithReason("mutability")
	}
	return in, nil
}

func isEmpty(v any) bool {
	all, isList := v.([]any)
	return v == nil || isList && len(all) == 0
}

func createUser(c *call) (answer, error) {
	in, err := c.userBody()
	if err != nil {
		return answer{}, err
	}
	u := store.User{ID: c.newID, StoreID: c.from.StoreID}
	if err := c.fill(&u, in); err != nil {
		return answer{}, err
	}
	if err := directory.AdmitUser(c.tx, u.StoreID, c.limits); err != nil {
		return answer{}, err
	}
	if u, err = directory.CreateUser(c.tx, u, c.by()); err != nil {
		return answer{}, err
	}
	return c.answerUser(http.StatusCreated, u)
}

func (c *call) answerUser(status int, u store.User) (answer, error) {
	if !c.op.reads {
		c.event.ResponseElements = map[string]any{"id": u.ID}
	}
	show, err := c.projection(c.users())
	if err != nil {
		return answer{}, err
	}
	tree, err := c.userTree(&u, show.Wants)
	if err != nil {
		return answer{}, err
	}
	if !c.strict() && show.Wants("groups") {
		if err := c.addGroups([]store.User{u}, []map[string]any{tree}); err != nil {
			return answer{}, err
		}
	}
	return answer{status: status, body: show.Apply(tree), at: c.base() + "/Users/" + u.ID, version: userVersion(&u)}, nil
}

// addGroups shows users the groups that they are in and the token may see.
func (c *call) addGroups(users []store.User, trees []map[string]any) error {
	ids := make([]string, len(users))
	at := make(map[string]map[string]any, len(users))
	for i, u := range users {
		ids[i], at[u.ID] = u.ID, trees[i]
	}
	all, err := c.tx.GroupsOfUsers(ids)
	if err != nil {
		return fmt.Errorf("list groups of users: %w", err)
	}
	for _, m := range all {
		if !c.sees(m.Source) {
			continue
		}
		tree := at[m.UserID]
		list, _ := tree["groups"].([]any)
		tree["groups"] = append(list, map[string]any{"value": m.GroupID, "$ref": c.base() + "/Groups/" + m.GroupID, "display": m.DisplayName, "type": "direct"})
	}
	return nil
}

func getUser(c *call) (answer, error) {
	u, err := c.user()
	if err != nil {
		return answer{}, err
	}
	if c.unchanged(userVersion(&u)) {
		return answer{status: http.StatusNotModified, version: userVersion(&u)}, nil
	}
	return c.answerUser(http.StatusOK, u)
}

// toChange is a user whom the request is to change, in the version that it is made for.
func (c *call) toChange() (store.User, error) {
	u, err := c.user()
	if err == nil {
		err = c.matches(userVersion(&u))
	}
	return u, err
}

// putUser replaces a user: what is left out is taken away, but for active, which stays as it is.
func putUser(c *call) (answer, error) {
	u, err := c.toChange()
	if err != nil {
		return answer{}, err
	}
	in, err := c.userBody()
	if err != nil {
		return answer{}, err
	}
	if id := in.text("id"); id != "" && id != u.ID {
		return answer{}, fault.Invalidf("id cannot be changed.").WithReason("mutability")
	}
	if _, said := in["active"]; !said { // a leaver is not let in again by what is not said
		in["active"] = u.Status == store.UserEnabled
	}
	return c.update(u, in)
}

// patchUser changes parts of a user.
func patchUser(c *call) (answer, error) {
	u, err := c.toChange()
	if err != nil {
		return answer{}, err
	}
	ops, err := c.users().Operations(c.tree)
	if err != nil {
		return answer{}, err
	}
	if err := c.allowed(ops); err != nil {
		return answer{}, err
	}
	tree, err := c.userTreeIn(&u, nil, true) // what AWS's dialect does not show stays
	if err != nil {
		return answer{}, err
	}
	for _, o := range ops {
		if err := o.Apply(tree); err != nil {
			return answer{}, err
		}
	}
	return c.update(u, tree)
}

// allowed refuses to remove userName or active, and as AWS does to change one of them twice.
func (c *call) allowed(ops []resource.Operation) error {
	seen := map[string]int{}
	for _, o := range ops {
		name := o.Path.Attr.Name
		if name != "userName" && name != "active" {
			continue
		}
		if o.Op == "remove" {
			return fault.Invalidf("%s cannot be removed.", name).WithReason("mutability")
		}
		if seen[name]++; seen[name] > 1 && c.strict() {
			return fault.Invalidf("%s is changed twice in one request.", name)
		}
	}
	return nil
}

// update writes a user. Who is disabled loses what they hold as with any other way to disable them (case S14).
func (c *call) update(u store.User, in object) (answer, error) {
	before, was := u, u.Status
	if err := c.fill(&u, in); err != nil {
		return answer{}, err
	}
	if c.strict() {
		directory.KeepDisplays(before, &u)
	}
	want := u.Status
	u.Status = was
	u, err := directory.UpdateUser(c.tx, u, "", c.by())
	if err == nil && want != was {
		if want == store.UserDisabled {
			err = c.s.Login.Disable(c.tx, u.ID, c.by())
		} else {
			err = c.s.Login.Enable(c.tx, u.ID, c.by())
		}
		if err == nil {
			u, err = directory.User(c.tx, u.StoreID, u.ID)
		}
	}
	if err != nil {
		return answer{}, err
	}
	return c.answerUser(http.StatusOK, u)
}

func deleteUser(c *call) (answer, error) {
	u, err := c.toChange()
	if err != nil {
		return answer{}, err
	}
	if err := c.removesUser(); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, directory.DeleteUser(c.tx, c.from.StoreID, u.ID, "")
}

// found are users that a filter names, or none.
func found(u store.User, err error) ([]store.User, error) {
	switch {
	case errors.Is(err, store.ErrNotFound) || fault.KindOf(err) == fault.NotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []store.User{u}, nil
}

// sourced is a page of what the token may see.
func (c *call) sourced(q page.Query) store.Sourced {
	return store.Sourced{StoreID: c.from.StoreID, Tenant: c.from.ID, Query: q}
}
