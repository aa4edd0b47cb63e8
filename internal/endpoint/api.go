package endpoint

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/awsapi"
	"sallyport/internal/clock"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/policy"
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
	// Gate refuses credentials whose right is gone.
	Gate func(ctx context.Context, c credential.Caller) error

	mounts []*mount
}

// Rule is what a service demands of its callers beside the policies of the caller.
type Rule struct {
	// Administers refuses accounts that may not administer at all (hard part 6). nil: every account may call.
	Administers func(tx *store.Tx, account arn.AccountID) error
	// Free operations need no permission, such as GetCallerIdentity.
	Free []string
	// Direct operations open their own transactions and record their own events.
	Direct []string
	// Bearer says that unsigned operations of the service carry a portal access token, but for the Open ones.
	Bearer bool
	// Writes are operations that a read-only transaction will not do for, although no signed action says so.
	Writes []string
}

type mount struct {
	service  *awsapi.Service
	rule     Rule
	verifier *sigv4.Verifier
	ops      map[string]*awsapi.Operation[*Call] // by name; by method and path for REST
}

// maxBody bounds a request. The largest that the models allow is an inline policy of 32,768 characters, escaped.
const maxBody = 512 << 10

// Mount adds a service. regions are those that its callers may sign for.
func (a *API) Mount(ops []awsapi.Operation[*Call], rule Rule, regions ...string) {
	m := &mount{service: ops[0].Service, rule: rule, ops: map[string]*awsapi.Operation[*Call]{}}
	m.verifier = &sigv4.Verifier{Service: m.service.SigningName, Regions: regions}
	for i := range ops {
		m.ops[ops[i].Name] = &ops[i]
	}
	a.mounts = append(a.mounts, m)
}

// ServeHTTP is the request path. It reads as anchors §3.5 lists it: route, read, authenticate, decode, authorize, run, record, answer.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := a.Clock.Now()
	source := sourceOf(r)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "The request is too large or was cut off.", http.StatusRequestEntityTooLarge)
		return
	}
	m, op, err := a.route(r, body)
	if err != nil {
		m.service.WriteError(w, err, source.RequestID)
		a.observe(r, m, "unknown", source, start, err)
		return
	}
	out, err := a.run(r, m, op, body, source)
	if err != nil {
		m.service.WriteError(w, err, source.RequestID)
	} else {
		m.service.WriteResult(w, op.OperationMeta, out, source.RequestID)
	}
	a.observe(r, m, op.Name, source, start, err)
}

// run takes an operation from its caller's proof to its result.
func (a *API) run(r *http.Request, m *mount, op *awsapi.Operation[*Call], body []byte, source Source) (any, error) {
	ctx := r.Context()
	caller, err := a.authenticate(r, m, op, body)
	if err != nil && caller.Kind == credential.Nobody {
		return nil, err // without a verified caller there is no event: a flood must not fill the disk (hard part 4)
	}
	if err != nil {
		return nil, a.recordFailure(ctx, m, a.event(op, caller, source, nil), err)
	}
	in, err := op.Decode(r, body)
	if err != nil {
		return nil, a.recordFailure(ctx, m, a.event(op, caller, source, in), err)
	}
	var event *audit.Event // of the last try: a transaction may run twice
	call := func(tx *store.Tx) *Call {
		event = a.event(op, caller, source, in)
		return &Call{Tx: tx, DB: a.DB, Caller: caller, Region: a.Region, Source: source, Event: event, operation: op.Name, pages: a.Pages}
	}
	var out any
	switch {
	case contains(m.rule.Direct, op.Name):
		out, err = op.Invoke(ctx, call(nil), in)
	case op.ReadOnly && !contains(m.rule.Writes, op.Name):
		out, err = a.read(ctx, m, op, in, call)
	default:
		out, err = a.write(ctx, m, op, in, call)
	}
	if err != nil {
		if event == nil { // the transaction did not even begin
			event = a.event(op, caller, source, in)
		}
		return nil, a.recordFailure(ctx, m, event, err)
	}
	return out, nil
}

// read runs an operation on a snapshot. Its event may be written a little later, with others.
func (a *API) read(ctx context.Context, m *mount, op *awsapi.Operation[*Call], in any, call func(*store.Tx) *Call) (out any, err error) {
	var event *audit.Event
	err = a.DB.View(ctx, func(tx *store.Tx) error {
		c := call(tx)
		event = c.Event
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
		if err := a.authorize(tx, m, op, c, in); err != nil {
			return err
		}
		if out, err = op.Invoke(ctx, c, in); err != nil {
			return err
		}
		if !m.records(op) {
			return nil
		}
		c.Event.ResponseElements = op.ResponseElements(out)
		return c.Event.Store(tx)
	})
	return out, err
}

func (a *API) observe(r *http.Request, m *mount, op string, source Source, start time.Time, err error) {
	took := a.Clock.Now().Sub(start)
	code := ""
	if err != nil {
		code, _ = m.service.Code(err)
	}
	if fault.KindOf(err) == fault.Internal && err != nil { // its text is for the log alone: the wire has one for all of them
		a.Log.ErrorContext(r.Context(), "operation failed", "operation", op, "request_id", source.RequestID, "error", err)
	}
	a.Metrics.observe(m.service.ID, op, code, took)
	a.Log.InfoContext(r.Context(), "request", "service", m.service.ID, "operation", op, "error_code", code,
		"request_id", source.RequestID, "source_ip", source.IP, "duration", took)
}

func sourceOf(r *http.Request) Source {
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = r.RemoteAddr
	}
	ua := r.UserAgent()
	if len(ua) > 1024 {
		ua = ua[:1024]
	}
	return Source{IP: ip, UserAgent: ua, RequestID: arn.NewUUID()}
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}
