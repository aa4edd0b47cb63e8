package scim

import (
	"cmp"
	"strings"

	"sallyport/internal/scim/resource"
	"sallyport/internal/store"
)

// olderURN is the schema of SCIM 1.1, which templates of clients still name (OneLogin's).
const olderURN = "urn:scim:schemas:core:1.0"

// declares says whether a resource is of a schema.
func (c *call) declares(in object, urn string) bool {
	return resource.Declares(in, urn) || !c.strict() && resource.Declares(in, olderURN)
}

// fillNames makes the names that the directory demands and RFC 7643 does not, of those that a client has sent: JumpCloud and Entra may send
// no display name, authentik no family name. Whoever sends more later has it replaced.
func fillNames(u *store.User) {
	both := strings.TrimSpace(u.Name.GivenName + " " + u.Name.FamilyName)
	whole := cmp.Or(u.Name.Formatted, both, u.UserName)
	u.DisplayName = cmp.Or(u.DisplayName, whole)
	words := strings.Fields(cmp.Or(u.Name.Formatted, u.DisplayName))
	if len(words) < 2 {
		words = []string{cmp.Or(both, u.DisplayName), cmp.Or(both, u.DisplayName)}
	}
	u.Name.GivenName = cmp.Or(u.Name.GivenName, strings.Join(words[:len(words)-1], " "))
	u.Name.FamilyName = cmp.Or(u.Name.FamilyName, words[len(words)-1])
}
