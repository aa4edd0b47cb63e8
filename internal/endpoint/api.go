package endpoint

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/awsapi"
	"sallyport/internal/clock"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/policy"
	"sallyport/internal/quota"
	"sallyport/internal/revocation"
	"sallyport/internal/setting"
	"sallyport/internal/sigv4"
	"sallyport/internal/store"
)

// API serves every mounted service. Its fields are set once, before the first request.
type API struct {
	DB       *store.DB
	Clock    clock.Clock
	Region   string
	Owner    arn.AccountID // who owns the instance: events of people are recorded there
	StoreID  arn.StoreID
	Pages    *page.Codec
	Log      *slog.Logger
	Metrics  *Metrics
	Recorder *Recorder
	Policies *policy.Cache

	// Key finds the caller and the secret behind an access key; token is empty for long-term keys.
	Key func(ctx context.Context, accessKeyID, token string) (credential.Caller, credential.Secret, error)
	// Bearer finds the person behind a portal access token.
	Bearer func(tx *store.Tx, token string) (credential.Caller, error)
	// Bearers remembers them by the token's hash; nil: each call reads.
	Bearers *revocation.Memo[[sha256.Size]byte, credential.Caller]
	// Gate refuses credentials whose right is gone.
	Gate func(ctx context.Context, c credential.Caller) error
	// Ready says why no credentials are honoured at present; nil: they are.
	Ready func() error

	// Settings are those in force; nil: the defaults.
	Settings func(ctx context.Context) (setting.Values, error)
	Quotas   *quota.Book

	throttle throttle
	mounts   []*mount
	places   map[place]*mount // of the REST operations
	noise    noise
}

// Rule is what a service demands of its callers beside the policies of the caller.
type Rule struct {
	// Administers refuses accounts that may not administer what a request is about (hard part 6), and tells which account owns
	// that. nil: every account may call. Self operations administer nothing: a person of any account may call them.
	Administers func(tx *store.Tx, caller arn.AccountID, operation string, in any) (owner arn.AccountID, err error)
	// Free operations need no permission, such as GetCallerIdentity.
	Free []string
	// Direct operations open their own transactions and record their own events.
	Direct []string
	// Bearer says that unsigned operations of the service carry a portal access token.
	Bearer bool
	// SelfDenied refuses self operations that the operator has taken away from people. nil: there are none.
	SelfDenied func(tx *store.Tx, operation string) error
	// Rates are what a call counts against while calls are throttled. It gets the call decoded and its caller established.
	// nil: the service is not throttled.
	Rates func(operation string, c *Call, in any) []Rate
	// Writes are operations that a read-only transaction will not do for, although no signed action says so.
	Writes []string
}

type mount struct {
	service  *awsapi.Service
	rule     Rule
	verifier *sigv4.Verifier
	ops      map[string]*awsapi.Operation[*Call] // by name
}

// maxBody bounds a request. The largest that the models allow is an inline policy of 32,768 characters, escaped.
const maxBody = 512 << 10

// Mount adds a service. regions are those that its callers may sign for.
func (a *API) Mount(ops []awsapi.Operation[*Call], rule Rule, regions ...string) {
	m := &mount{service: ops[0].Service, rule: rule, ops: map[string]*awsapi.Operation[*Call]{}}
	m.verifier = &sigv4.Verifier{Service: m.service.SigningName, Regions: regions}
	if a.places == nil {
		a.places = map[place]*mount{}
	}
	for i := range ops {
		m.ops[ops[i].Name] = &ops[i]
		if m.service.Protocol == awsapi.REST {
			a.places[place{ops[i].Method, ops[i].Path}] = m
		}
	}
	a.mounts = append(a.mounts, m)
}

// ServeHTTP is the request path. It reads as anchors §3.5 lists it: route, read, authenticate, decode, authorize, run, record, answer.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{start: a.Clock.Now(), source: SourceOf(r), operation: unknown}
	// SDKs set their clocks by this header, so it must be the time that signatures are held against.
	w.Header().Set("Date", x.start.UTC().Format(http.TimeFormat))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		body, err = nil, unreadable(err)
	}
	m, op, unrouted := a.route(r, body)
	x.service = m.service
	if err == nil {
		err = unrouted
	}
	var out any
	if err == nil {
		x.operation = op.Name
		out, err = a.run(r, m, op, body, x)
	}
	if err != nil {
		m.service.WriteError(w, err, x.source.RequestID)
	} else {
		m.service.WriteResult(w, op.OperationMeta, out, x.source.RequestID)
	}
	a.observe(r, x, err)
}

// unreadable says why a body could not be read.
func unreadable(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return fault.Newf(fault.TooLarge, "The request body is larger than %d bytes.", large.Limit)
	}
	return fault.Newf(fault.Malformed, "The request body was cut off.")
}

// run takes an operation from its caller's proof to its result.
func (a *API) run(r *http.Request, m *mount, op *awsapi.Operation[*Call], body []byte, x *exchange) (any, error) {
	ctx := r.Context()
	caller, err := a.authenticate(r, m, op, body)
	x.known = caller.Kind != credential.Nobody
	if err != nil && !x.known {
		return nil, err // without a verified caller there is no event: a flood must not fill the disk (hard part 4)
	}
	var event *audit.Event
	var out any
	var in setting.Values
	if err == nil {
		in, err = a.settings(ctx)
	}
	if err == nil {
		out, err = a.perform(r, m, op, body, func(tx *store.Tx, input any) *Call {
			event = a.event(op, caller, x.source, input) // anew for every try: a transaction may run twice
			return &Call{
				Tx: tx, DB: a.DB, Caller: caller, Region: a.Region, Source: x.source, Limits: a.Quotas.In(in.Mode()), Event: event,
				operation: op.Name, throttled: in.LimitsThrottle != setting.Off, pages: a.Pages,
			}
		})
	}
	if err != nil {
		if event == nil { // nothing was begun
			event = a.event(op, caller, x.source, nil)
		}
		return nil, a.recordFailure(ctx, m, event, err)
	}
	return out, nil
}

// perform decodes, authorizes and runs an operation. A panic is this call's failure alone, and undoes its transaction.
func (a *API) perform(r *http.Request, m *mount, op *awsapi.Operation[*Call], body []byte, begin func(*store.Tx, any) *Call) (out any, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("operation panicked: %v\n%s", p, debug.Stack())
		}
	}()
	in, err := op.Decode(r, body)
	call := func(tx *store.Tx) *Call { return begin(tx, in) }
	direct := call(nil) // from here on the record tells of the input, whatever happens to it
	switch {
	case err != nil:
		return nil, err
	case direct.throttled && m.rule.Rates != nil:
		if err := a.throttle.admit(m.rule.Rates(op.Name, direct, in), direct.Limits, a.Clock.Now()); err != nil {
			return nil, err
		}
	}
	switch {
	case contains(m.rule.Direct, op.Name):
		if err := a.authorizeDirect(r.Context(), m, op, *direct, in); err != nil {
			return nil, err
		}
		return op.Invoke(r.Context(), direct, in)
	case op.ReadOnly && !contains(m.rule.Writes, op.Name):
		return a.read(r.Context(), m, op, in, call)
	}
	return a.write(r.Context(), m, op, in, call)
}

// read runs an operation on a snapshot. Its event may be written a little later, with others.
func (a *API) read(ctx context.Context, m *mount, op *awsapi.Operation[*Call], in any, call func(*store.Tx) *Call) (out any, err error) {
	var event *audit.Event
	err = a.DB.View(ctx, func(tx *store.Tx) error {
		c := call(tx)
		event = c.Event
		event.EventID = arn.NewTimeUUID(tx.Now()) // of now, not of when it is written: the log is in this order
		if err := a.authorize(tx, m, op, c, in); err != nil {
			return err
		}
		out, err = op.Invoke(ctx, c, in)
		return err
	})
	if err == nil && m.records(op) {
		a.Recorder.Add(event)
	}
	return out, err
}

// write runs an operation and stores its event in the same transaction. The closure may run twice.
func (a *API) write(ctx context.Context, m *mount, op *awsapi.Operation[*Call], in any, call func(*store.Tx) *Call) (out any, err error) {
	err = a.DB.Update(ctx, func(tx *store.Tx) error {
		c := call(tx)
		if m.records(op) {
			c.Event.Begin(tx)
		}
		if err := a.authorize(tx, m, op, c, in); err != nil {
			return err
		}
		if out, err = op.Invoke(ctx, c, in); err != nil {
			return err
		}
		if !m.records(op) {
			return nil
		}
		if c.Caller.Kind != credential.Bearer { // as for the parameters: see event
			c.Event.ResponseElements = op.ResponseElements(out)
		}
		return c.Event.Store(tx)
	})
	return out, err
}

// authorizeDirect authorizes an operation that opens its own transactions, in one before them.
func (a *API) authorizeDirect(ctx context.Context, m *mount, op *awsapi.Operation[*Call], c Call, in any) error {
	if op.Unsigned { // open to anyone, or to whoever holds a token
		return nil
	}
	return a.DB.View(ctx, func(tx *store.Tx) error {
		c.Tx = tx
		return a.authorize(tx, m, op, &c, in)
	})
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}
