package scim

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/scim/resource"
)

// bulkOperation is one of a bulk (RFC 7644 §3.7).
type bulkOperation struct {
	method, path, version string
	bulkID                string
	data                  map[string]any
	newID                 string // of what a POST is to make
	state                 bulkState
	answer                bulkAnswer
}

// bulkState is how far an operation is.
type bulkState int

const (
	waiting bulkState = iota
	begun
	done
	failed
)

// bulkAnswer is what became of an operation.
type bulkAnswer struct {
	Location string   `json:"location,omitempty"`
	Method   string   `json:"method"`
	BulkID   string   `json:"bulkId,omitempty"`
	Version  string   `json:"version,omitempty"`
	Status   string   `json:"status"`
	Response *failure `json:"response,omitempty"`
}

// bulkRun is a bulk that is being done. What is referred to is done first, wherever it is in the request; ids are made beforehand, so
// that references may go in a circle.
type bulkRun struct {
	c      *call
	all    []*bulkOperation
	named  map[string]*bulkOperation
	errors int
	most   int // errors after which nothing more is done; 0: any number
}

const bulkPrefix = "bulkId:"

// bulk does the operations of a bulk, each in a transaction of its own with an event of its own.
func bulk(c *call) (answer, error) {
	b, err := c.readBulk()
	if err != nil {
		return answer{}, c.s.recordFailure(c.r.Context(), c, err)
	}
	for _, o := range b.all {
		if err := c.r.Context().Err(); err != nil {
			return answer{}, err
		}
		b.do(o)
	}
	out := []bulkAnswer{}
	for _, o := range b.all {
		if o.state == done || o.state == failed {
			out = append(out, o.answer)
		}
	}
	return answer{status: http.StatusOK, body: map[string]any{"schemas": []string{bulkMessage}, "Operations": out}}, nil
}

func (c *call) readBulk() (*bulkRun, error) {
	raw, _ := resource.Field(c.tree, "Operations")
	ops, ok := raw.([]any)
	if !ok {
		return nil, resource.ErrSyntax()
	}
	if len(ops) > maxBulk {
		return nil, fault.Newf(fault.TooLarge, "A bulk has at most %d operations.", maxBulk)
	}
	b := &bulkRun{c: c, named: map[string]*bulkOperation{}}
	if v, ok := resource.Field(c.tree, "failOnErrors"); ok && v != nil {
		if b.most, ok = number(v); !ok || b.most < 0 {
			return nil, fault.Invalidf("failOnErrors must be a number of errors.")
		}
	}
	for _, raw := range ops {
		fields, ok := raw.(map[string]any)
		if !ok {
			return nil, resource.ErrSyntax()
		}
		o, err := readBulkOperation(fields)
		if err != nil {
			return nil, err
		}
		if o.method == http.MethodPost {
			if o.bulkID == "" || b.named[o.bulkID] != nil {
				return nil, fault.Invalidf("Each POST of a bulk needs a bulkId of its own.").WithReason("invalidSyntax")
			}
			o.newID, b.named[o.bulkID] = arn.NewUUID(), o
		}
		b.all = append(b.all, o)
	}
	return b, nil
}

func readBulkOperation(fields map[string]any) (*bulkOperation, error) {
	text := func(name string) string {
		v, _ := resource.Field(fields, name)
		s, _ := v.(string)
		return s
	}
	o := &bulkOperation{method: strings.ToUpper(text("method")), path: text("path"), version: text("version"), bulkID: text("bulkId")}
	data, _ := resource.Field(fields, "data")
	var ok bool
	if o.data, ok = data.(map[string]any); !ok && data != nil {
		return nil, resource.ErrSyntax()
	}
	o.answer.Method, o.answer.BulkID = o.method, o.bulkID
	return o, nil
}

// do does an operation, after those that it refers to, unless there have been too many errors.
func (b *bulkRun) do(o *bulkOperation) {
	if o.state != waiting {
		return
	}
	o.state = begun
	for _, name := range o.references() {
		if to := b.named[name]; to != nil {
			b.do(to)
		}
	}
	if b.most > 0 && b.errors >= b.most {
		o.state = waiting
		return
	}
	a, err := b.attempt(o)
	if err != nil {
		b.errors++
		f, _ := b.c.s.failure(b.c.r, b.c.event.RequestID, b.c.told(err))
		o.state, o.answer.Status, o.answer.Response = failed, f.Status, &f
		return
	}
	o.state, o.answer.Status, o.answer.Version, o.answer.Location = done, strconv.Itoa(a.status), a.version, a.at
}

// attempt does an operation as if it had come alone.
func (b *bulkRun) attempt(o *bulkOperation) (answer, error) {
	path, err := b.resolve(o.path)
	if err != nil {
		return answer{}, err
	}
	op, id, known := lookUp(o.method, path)
	switch {
	case op == nil && known, op != nil && (op.reads || op.do == nil):
		return answer{}, errMethod(o.method)
	case op == nil:
		return answer{}, errEndpoint()
	case op.body && o.data == nil:
		return answer{}, fault.Invalidf("The operation has no data.").WithReason("invalidSyntax")
	}
	one := &call{
		s: b.c.s, r: b.c.r, op: op, tenant: b.c.tenant, root: b.c.root, id: id, newID: o.newID, match: o.version, limits: b.c.limits, settings: b.c.settings, inBulk: true,
		from: b.c.from, token: b.c.token,
	}
	tree, err := b.resolved(o.data)
	if err == nil && op.body {
		one.tree, _ = tree.(map[string]any)
	}
	one.event = b.c.s.newEvent(one, b.c.event.RequestID)
	one.event.UserIdentity = b.c.event.UserIdentity
	if err != nil {
		return answer{}, b.c.s.recordFailure(b.c.r.Context(), one, err)
	}
	a, err := b.c.s.run(b.c.r.Context(), one)
	if a.at == "" && id != "" {
		a.at = one.root + path
	}
	return a, err
}

// references are the bulkIds that an operation refers to.
func (o *bulkOperation) references() (out []string) {
	find := func(s string) string {
		for rest := s; ; {
			_, after, ok := strings.Cut(rest, bulkPrefix)
			if !ok {
				return s
			}
			name, _ := cutName(after)
			out, rest = append(out, name), after
		}
	}
	find(o.path)
	replaced(o.data, find)
	return out
}

// cutName is the bulkId at the beginning of a text, which ends with it, or at a slash or a quotation mark.
func cutName(s string) (name, rest string) {
	if i := strings.IndexAny(s, `/"`); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// resolve puts ids in the place of references.
func (b *bulkRun) resolve(s string) (string, error) {
	before, after, ok := strings.Cut(s, bulkPrefix)
	if !ok {
		return s, nil
	}
	name, rest := cutName(after)
	to := b.named[name]
	switch {
	case to == nil:
		return "", fault.Invalidf("There is no operation with the bulkId %s.", strconv.QuoteToASCII(name)).WithReason("invalidValue")
	case to.state == failed || to.state == waiting:
		return "", fault.Conflictf("What the bulkId %s names has not been made.", strconv.QuoteToASCII(name)).WithReason("invalidValue")
	}
	rest, err := b.resolve(rest)
	return before + to.newID + rest, err
}

// resolved is a tree with ids in the place of references.
func (b *bulkRun) resolved(v any) (out any, err error) {
	out = replaced(v, func(s string) string {
		if !isReference(s) {
			return s
		}
		made, bad := b.resolve(s)
		if bad != nil && err == nil {
			err = fmt.Errorf("resolve reference: %w", bad)
		}
		return made
	})
	return out, err
}

// isReference says whether a text of a body is a reference, or a path with one in its filter.
func isReference(s string) bool {
	return strings.HasPrefix(s, bulkPrefix) || strings.Contains(s, `"`+bulkPrefix)
}

// replaced is a tree with other texts.
func replaced(v any, text func(string) string) any {
	switch v := v.(type) {
	case string:
		return text(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = replaced(e, text)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = replaced(e, text)
		}
		return out
	}
	return v
}
