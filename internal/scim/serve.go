package scim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strings"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/awsapi"
	"sallyport/internal/fault"
	"sallyport/internal/quota"
	"sallyport/internal/setting"
	"sallyport/internal/store"
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
}

// operations are AWS's fifteen.
var operations = []operation{
	{"CreateUser", "POST", []string{"Users"}, false, true, createUser},
	{"ListUsers", "GET", []string{"Users"}, true, false, listUsers},
	{"GetUser", "GET", []string{"Users", "*"}, true, false, getUser},
	{"PutUser", "PUT", []string{"Users", "*"}, false, true, putUser},
	{"PatchUser", "PATCH", []string{"Users", "*"}, false, true, patchUser},
	{"DeleteUser", "DELETE", []string{"Users", "*"}, false, false, deleteUser},
	{"CreateGroup", "POST", []string{"Groups"}, false, true, createGroup},
	{"ListGroups", "GET", []string{"Groups"}, true, false, listGroups},
	{"GetGroup", "GET", []string{"Groups", "*"}, true, false, getGroup},
	{"PatchGroup", "PATCH", []string{"Groups", "*"}, false, true, patchGroup},
	{"DeleteGroup", "DELETE", []string{"Groups", "*"}, false, false, deleteGroup},
	{"ServiceProviderConfig", "GET", []string{"ServiceProviderConfig"}, true, false, providerConfig},
	{"ListResourceTypes", "GET", []string{"ResourceTypes"}, true, false, resourceTypes},
	{"ListSchemas", "GET", []string{"Schemas"}, true, false, listSchemas},
	{"GetSchema", "GET", []string{"Schemas", "*"}, true, false, getSchema},
}

// answer is what a request is answered with; no body: none.
type answer struct {
	status int
	body   any
	at     string // Location
}

// call is one request.
type call struct {
	s      *Server
	r      *http.Request
	op     *operation
	tenant string // of the URL
	id     string
	tree   map[string]any // the body
	limits quota.Limits

	settings setting.Values
	spent    spent

	tx    *store.Tx
	from  store.SCIMTenant
	token store.SCIMToken
	event *audit.Event
}

// by is who writes, for the record's trail.
func (c *call) by() string { return "scim/" + c.from.ID }

// base is the URL of the tenant.
func (c *call) base() string { return c.s.URL + "/" + c.tenant + "/scim/v2" }

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := arn.NewUUID()
	w.Header().Set("X-Amzn-RequestId", id)
	a, err := s.serve(r, id)
	if err != nil {
		s.fail(w, r, id, err)
		return
	}
	if a.at != "" {
		w.Header().Set("Location", a.at)
	}
	write(w, a.status, a.body)
}

func write(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone: nobody to tell
}

func (s *Server) serve(r *http.Request, id string) (answer, error) {
	c, err := s.read(r)
	if err != nil {
		return answer{}, err
	}
	if c.limits, err = s.Limits(r.Context()); err != nil {
		return answer{}, err
	}
	if c.settings, err = s.settings(r.Context()); err != nil {
		return answer{}, err
	}
	c.event = s.newEvent(c, id)
	var a answer
	do := func(tx *store.Tx) (err error) {
		c.tx = tx
		if err := c.authenticate(); err != nil {
			return err
		}
		if err := c.throttle(); err != nil {
			return err
		}
		a, err = c.op.do(c)
		if err != nil || c.op.reads {
			return err
		}
		return c.event.Store(tx)
	}
	if c.op.reads {
		err = s.DB.View(r.Context(), do)
	} else {
		err = s.DB.Update(r.Context(), do)
	}
	if err != nil {
		return answer{}, s.recordFailure(r.Context(), c, err)
	}
	if c.op.reads {
		s.Record(c.event)
	}
	s.used(r.Context(), c)
	return a, nil
}

// read finds the operation and reads the body.
func (s *Server) read(r *http.Request) (*call, error) {
	m := under.FindStringSubmatch(r.URL.Path)
	c := &call{s: s, r: r, tenant: m[1]}
	parts := strings.FieldsFunc(m[2], func(r rune) bool { return r == '/' })
	known := false
	for i := range operations {
		id, ok := operations[i].matches(parts)
		known = known || ok
		if ok && operations[i].method == r.Method {
			c.op, c.id = &operations[i], id
		}
	}
	switch {
	case c.op == nil && known:
		return nil, &fault.Error{Kind: fault.UnknownOperation, Message: r.Method + " is not supported here."}
	case c.op == nil:
		return nil, &fault.Error{Kind: fault.NotFound, Message: "There is no such endpoint."}
	case !c.op.body:
		return c, nil
	}
	return c, c.readBody()
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

func (c *call) readBody() error {
	if t, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); c.r.Header.Get("Content-Type") != "" && (err != nil || t != "application/json" && t != mediaType) {
		return fault.Invalidf("The content type must be application/scim+json or application/json.")
	}
	body, err := io.ReadAll(io.LimitReader(c.r.Body, maxBody+1))
	if err != nil {
		return fault.Newf(fault.Malformed, "The request body could not be read.")
	}
	if len(body) > maxBody {
		return fault.Newf(fault.TooLarge, "The request body is larger than %d bytes.", maxBody)
	}
	tree, err := awsapi.ParseJSON(body)
	if err != nil {
		return fault.Newf(fault.Malformed, "Invalid JSON from RequestBody")
	}
	var ok bool
	if c.tree, ok = tree.(map[string]any); !ok {
		return errSyntax()
	}
	return nil
}

// errSyntax is AWS's word for requests that are not SCIM.
func errSyntax() error {
	return fault.Newf(fault.Malformed, "Request is unparsable, syntactically incorrect, or violates schema.").WithReason("invalidSyntax")
}

// recordFailure stores the event of a request of somebody known that failed, in a transaction of its own.
func (s *Server) recordFailure(ctx context.Context, c *call, cause error) error {
	if c.from.ID == "" || fault.KindOf(cause) == fault.Throttled || errors.Is(cause, context.Canceled) {
		return cause
	}
	if known, err := s.tripped(ctx, c, cause); err != nil {
		return err
	} else if known {
		return cause
	}
	c.event.ErrorCode, c.event.ErrorMessage = codeOf(cause)
	c.event.EventID, c.event.ResponseElements = "", nil
	if err := audit.Record(context.WithoutCancel(ctx), s.DB, c.event); err != nil {
		return fmt.Errorf("record failed request: %w", err)
	}
	return cause
}
