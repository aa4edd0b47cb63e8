package scim

import (
	filter "github.com/scim2/filter-parser/v2"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// patchUser changes parts of a user.
func patchUser(c *call) (answer, error) {
	u, err := c.user()
	if err != nil {
		return answer{}, err
	}
	all, err := c.changes(users)
	if err != nil {
		return answer{}, err
	}
	if err := c.allowed(all); err != nil {
		return answer{}, err
	}
	out, err := c.userOut(u)
	if err != nil {
		return answer{}, err
	}
	tree, err := treeOf(out)
	if err != nil {
		return answer{}, err
	}
	delete(tree, "meta")
	for _, ch := range all {
		if err := ch.apply(tree, users); err != nil {
			return answer{}, err
		}
	}
	var in user
	if err := decode(tree, &in, users); err != nil {
		return answer{}, err
	}
	if in.Active == nil {
		return answer{}, fault.Invalidf("active cannot be removed.").WithReason("mutability")
	}
	return c.update(u, in)
}

// allowed refuses what AWS's dialect does: to remove userName or active, or to change one of them twice.
func (c *call) allowed(all []change) error {
	seen := map[string]int{}
	for _, ch := range all {
		a, _ := users.at(filter.Path{AttributePath: filter.AttributePath{URIPrefix: ch.path.AttributePath.URIPrefix, AttributeName: ch.path.AttributePath.AttributeName}})
		switch name := a.name; name {
		case "id", "meta", "schemas":
			return fault.Invalidf("%s cannot be changed.", name).WithReason("mutability")
		case "groups":
			return fault.Invalidf("groups is read only: members are written at their group.").WithReason("mutability")
		case "userName", "active":
			if ch.op == "remove" {
				return fault.Invalidf("%s cannot be removed.", name).WithReason("mutability")
			}
			if seen[name]++; seen[name] > 1 && c.token.Dialect == store.StrictSCIM {
				return fault.Invalidf("%s is changed twice in one request.", name)
			}
		}
	}
	return nil
}
