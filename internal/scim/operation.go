package scim

import (
	"net/http"
	"regexp"
	"strings"

	"sallyport/internal/fault"
)

// under is a tenant's URL: its id has a longer first part than a UUID, as AWS's have.
var under = regexp.MustCompile(`^/+([0-9a-f]{11}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/+scim/+v2(/.*|$)`)

// Serves says whether a request is for SCIM.
func (s *Server) Serves(r *http.Request) bool { return under.MatchString(r.URL.Path) }

// operation is one of the protocol.
type operation struct {
	name   string // of its event
	method string
	path   []string // "*": an id
	reads  bool
	body   bool
	do     func(*call) (answer, error)
	// complete operations are of that dialect alone.
	complete bool
	// whole operations make their own transactions.
	whole func(*call) (answer, error)
}

// operations are AWS's fifteen, and those of the complete dialect.
var operations []operation

func init() { // a bulk leads back to them
	strict := func(name, method, path string, reads, body bool, do func(*call) (answer, error)) {
		operations = append(operations, operation{name: name, method: method, path: strings.Split(path, "/"), reads: reads, body: body, do: do})
	}
	complete := func(name, method, path string, reads, body bool, do func(*call) (answer, error)) {
		strict(name, method, path, reads, body, do)
		operations[len(operations)-1].complete = true
	}
	strict("CreateUser", "POST", "Users", false, true, createUser)
	strict("ListUsers", "GET", "Users", true, false, listUsers)
	strict("GetUser", "GET", "Users/*", true, false, getUser)
	strict("PutUser", "PUT", "Users/*", false, true, putUser)
	strict("PatchUser", "PATCH", "Users/*", false, true, patchUser)
	strict("DeleteUser", "DELETE", "Users/*", false, false, deleteUser)
	strict("CreateGroup", "POST", "Groups", false, true, createGroup)
	strict("ListGroups", "GET", "Groups", true, false, listGroups)
	strict("GetGroup", "GET", "Groups/*", true, false, getGroup)
	strict("PatchGroup", "PATCH", "Groups/*", false, true, patchGroup)
	strict("DeleteGroup", "DELETE", "Groups/*", false, false, deleteGroup)
	strict("ServiceProviderConfig", "GET", "ServiceProviderConfig", true, false, providerConfig)
	strict("ListResourceTypes", "GET", "ResourceTypes", true, false, resourceTypes)
	strict("ListSchemas", "GET", "Schemas", true, false, listSchemas)
	strict("GetSchema", "GET", "Schemas/*", true, false, getSchema)

	complete("PutGroup", "PUT", "Groups/*", false, true, putGroup)
	complete("SearchUsers", "POST", "Users/.search", true, true, searchUsers)
	complete("SearchGroups", "POST", "Groups/.search", true, true, searchGroups)
	complete("Search", "POST", ".search", true, true, searchAll)
	complete("GetResourceType", "GET", "ResourceTypes/*", true, false, getResourceType)
	complete("Bulk", "POST", "Bulk", false, true, nil)
	operations[len(operations)-1].whole = bulk
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		complete("Me", method, "Me", true, false, nil)
		operations[len(operations)-1].whole = me
	}
}

// find finds the operation of a request.
func (s *Server) find(r *http.Request) (*call, error) {
	m := under.FindStringSubmatch(r.URL.Path)
	c := &call{s: s, r: r, tenant: m[1], root: s.URL + "/" + m[1] + "/scim/v2", match: strings.Join(r.Header.Values("If-Match"), ",")}
	var known bool
	c.op, c.id, known = lookUp(r.Method, m[2])
	switch {
	case c.op == nil && known:
		return nil, errMethod(r.Method)
	case c.op == nil:
		return nil, errEndpoint()
	}
	return c, nil
}

// lookUp is the operation of a method and a path, and the id in it; known says that the path has others.
func lookUp(method, path string) (op *operation, id string, known bool) {
	parts := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	for i := range operations {
		at, ok := operations[i].matches(parts)
		known = known || ok
		if ok && operations[i].method == method {
			op, id = &operations[i], at
		}
	}
	return op, id, known
}

func errMethod(method string) error {
	return &fault.Error{Kind: fault.UnknownOperation, Message: method + " is not supported here."}
}

func errEndpoint() error {
	return &fault.Error{Kind: fault.NotFound, Message: "There is no such endpoint."}
}

// inDialect refuses what is not of the token's dialect, as if it were not there.
func (c *call) inDialect() error {
	if !c.op.complete || !c.strict() {
		return nil
	}
	for i := range operations {
		if o := &operations[i]; !o.complete && strings.Join(o.path, "/") == strings.Join(c.op.path, "/") {
			return errMethod(c.op.method)
		}
	}
	return errEndpoint()
}

func (o *operation) matches(parts []string) (id string, ok bool) {
	if len(parts) != len(o.path) {
		return "", false
	}
	for i, p := range o.path {
		if p == "*" {
			id = parts[i]
		} else if p != parts[i] {
			return "", false
		}
	}
	return id, true
}
