package scim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/awsapi"
	"sallyport/internal/fault"
	"sallyport/internal/quota"
	"sallyport/internal/scim/resource"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// answer is what a request is answered with; no body: none.
type answer struct {
	status  int
	body    any
	at      string // Location
	version string // ETag, in the complete dialect
}

// call is one request, or one operation of a bulk.
type call struct {
	s      *Server
	r      *http.Request
	op     *operation
	tenant string // of the URL
	root   string // of the tenant's resources
	id     string
	newID  string // of what is made; "": any
	match  string // the versions that a change is for; "": whichever
	tree   map[string]any
	size   int // of the body, in bytes
	limits quota.Limits

	settings setting.Values
	spent    spent

	inBulk bool
	scans  bool // may read all that there is: it is its turn

	tx    *store.Tx
	from  store.SCIMTenant
	token store.SCIMToken
	event *audit.Event
}

// by is who writes, for the record's trail.
func (c *call) by() string { return "scim/" + c.from.ID }

// base is the URL of the tenant.
func (c *call) base() string { return c.root }

func (c *call) strict() bool { return c.token.Dialect != store.CompleteSCIM }

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
	if a.version != "" {
		w.Header().Set("ETag", a.version)
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
	c, err := s.find(r)
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
	if c.op.body { // nothing is read for a client that is not known
		if err := s.DB.View(r.Context(), func(tx *store.Tx) error { c.tx = tx; return c.authenticate() }); err != nil {
			return answer{}, c.told(s.recordFailure(r.Context(), c, err))
		}
		if err := c.readBody(); err != nil {
			return answer{}, c.told(err) // which asks for nothing, and so is no event
		}
		c.event.RequestParameters = c.parameters()
	}
	var a answer
	if c.op.whole != nil {
		a, err = c.op.whole(c)
	} else {
		a, err = s.run(r.Context(), c)
	}
	if c.strict() {
		a.version = ""
	}
	if err == nil && c.token.ID != "" {
		s.used(r.Context(), c)
	}
	return a, c.told(err)
}

// told is an error as the token's dialect tells it.
func (c *call) told(err error) error {
	if err != nil && c.token.Dialect == store.CompleteSCIM {
		return plain{err}
	}
	return err
}

// run does one operation in a transaction of its own, with its event.
func (s *Server) run(ctx context.Context, c *call) (answer, error) {
	a, err := s.attempt(ctx, c)
	if errors.Is(err, errTurn) {
		leave, waited := takeTurn(ctx)
		if waited != nil {
			return answer{}, s.recordFailure(ctx, c, waited)
		}
		defer leave()
		c.scans = true
		a, err = s.attempt(ctx, c)
	}
	if err != nil {
		return answer{}, s.recordFailure(ctx, c, err)
	}
	if c.op.reads {
		s.Record(c.event)
	}
	return a, nil
}

func (s *Server) attempt(ctx context.Context, c *call) (a answer, err error) {
	do := func(tx *store.Tx) (err error) {
		c.tx = tx
		if err := c.authenticate(); err != nil {
			return err
		}
		if err := c.throttle(); err != nil {
			return err
		}
		if !c.op.reads {
			c.event.Begin(tx)
			tx.Because(store.Cause{Event: c.event.EventID, By: c.by()})
		}
		a, err = c.op.do(c)
		if err != nil || c.op.reads {
			return err
		}
		return c.event.Store(tx)
	}
	if c.op.reads {
		return a, s.DB.View(ctx, do)
	}
	err = s.DB.Update(ctx, do)
	return a, err
}

func (c *call) readBody() error {
	if t, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); c.r.Header.Get("Content-Type") != "" && (err != nil || t != "application/json" && t != mediaType) {
		return fault.Invalidf("The content type must be application/scim+json or application/json.")
	}
	most := c.maxBody()
	body, err := io.ReadAll(io.LimitReader(c.r.Body, int64(most)+1))
	if err != nil {
		return fault.Newf(fault.Malformed, "The request body could not be read.")
	}
	if c.size = len(body); c.size > most {
		return fault.Newf(fault.TooLarge, "The request body is larger than %d bytes.", most)
	}
	tree, err := awsapi.ParseLargeJSON(body, most)
	if err != nil {
		return fault.Newf(fault.Malformed, "Invalid JSON from RequestBody")
	}
	var ok bool
	if c.tree, ok = tree.(map[string]any); !ok {
		return resource.ErrSyntax()
	}
	return nil
}

// maxBody is how many bytes of a body are read.
func (c *call) maxBody() int {
	if c.strict() {
		return maxBody
	}
	return maxLargeBody
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

// number reads a number of a query string or a message.
func number(v any) (int, bool) {
	var text string
	switch v := v.(type) {
	case string:
		text = v
	case json.Number:
		text = v.String()
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		err = nil // as far as there is
	}
	return int(max(-1<<31, min(n, 1<<31-1))), err == nil
}
