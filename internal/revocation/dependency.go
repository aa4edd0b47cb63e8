package revocation

import (
	"strings"

	"sallyport/internal/credential"
)

// dependency is something whose change may take a right away: the key of a [store.Change] in its parts, so that looking
// one up builds no string.
type dependency struct{ kind, id, sub string }

// everything is the dependency of every credential on changes that were too many to tell apart.
var everything = dependency{kind: "all"}

// parse reads the key of a change. A key of an unknown kind is nobody's dependency.
func parse(key string) dependency {
	kind, id, _ := strings.Cut(key, ":")
	if kind != "grant" {
		return dependency{kind: kind, id: id}
	}
	account, set, _ := strings.Cut(id, "/")
	return dependency{kind, account, set}
}

// right is what a credential stands for: all that an evaluation may look at, and nothing else. Credentials of one right
// share the outcome.
type right struct {
	kind                           credential.Kind
	account, user, session, parent string
	set, roleARN, roleID, key      string
	emergency                      string
	cutsSeen                       int64
}

func rightOf(c credential.Caller) right {
	r := right{
		kind: c.Kind, account: string(c.Account), user: c.UserID, session: c.SessionID, parent: c.ParentID,
		set: c.PermissionSet, roleARN: c.RoleARN, roleID: c.RoleID, key: c.ViaKey, cutsSeen: c.CutsSeen,
		emergency: c.Emergency,
	}
	if c.Kind == credential.IAMUser {
		r.key = c.AccessKeyID
	}
	return r
}

// dependencies calls fn with each thing that the right depends on.
func (r *right) dependencies(fn func(dependency)) {
	fn(everything)
	for _, d := range [...]dependency{
		{kind: "account", id: r.account},
		{kind: "user", id: r.user},
		{kind: "session", id: r.session},
		{kind: "session", id: r.parent},
		{kind: "role", id: r.roleARN},
		{kind: "key", id: r.key},
		{kind: "emergency", id: r.emergency},
	} {
		if d.id != "" {
			fn(d)
		}
	}
	if r.set != "" {
		fn(dependency{"grant", r.account, r.set})
		fn(dependency{kind: "set", id: r.set})
	}
}
