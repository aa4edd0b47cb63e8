package scim

import (
	"strconv"
	"strings"

	"sallyport/internal/fault"
	"sallyport/internal/scim/resource"
	"sallyport/internal/store"
)

// reasonVersion is of requests for a version that is not the one there is (RFC 7644 §3.14).
const reasonVersion = "versionMismatch"

// userVersion is a user's version: weak, since what is shown of one depends on what is asked for.
func userVersion(u *store.User) string { return `W/"` + store.RevisionText(u.Revision) + `"` }

// groupVersion is a group's version, which changes with its members too.
func groupVersion(g *store.Group) string {
	return `W/"` + store.RevisionText(g.Revision) + "." + strconv.FormatInt(g.MemberChanges, 10) + `"`
}

// names says whether a list of versions has one; they are compared weakly, and "*" is any.
func names(list, version string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(version, "W/") {
			return true
		}
	}
	return false
}

// matches refuses a change that was made for another version.
func (c *call) matches(version string) error {
	if c.match == "" || c.strict() || names(c.match, version) {
		return nil
	}
	return fault.Conflictf("The resource has changed: its version is %s. Read it again.", version).WithReason(reasonVersion)
}

// unchanged says that the client has the version that there is.
func (c *call) unchanged(version string) bool {
	have := strings.Join(c.r.Header.Values("If-None-Match"), ",")
	return have != "" && !c.strict() && c.op.reads && names(have, version)
}

// projection is what the client wants to see; AWS's dialect knows no such wish.
func (c *call) projection(t *resource.Type) (resource.Projection, error) {
	if c.strict() {
		return t.Projection(nil, nil)
	}
	q, err := c.query()
	if err != nil {
		return resource.Projection{}, err
	}
	return t.Projection(q.names("attributes"), q.names("excludedAttributes"))
}
