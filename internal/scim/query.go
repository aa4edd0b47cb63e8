package scim

import (
	"net/url"
	"strings"

	"sallyport/internal/fault"
	"sallyport/internal/scim/resource"
)

// query is what a client says of the resources that it wants: in the query string, or in a SearchRequest (RFC 7644 §3.4.3).
type query map[string]any

// query reads it. An operation of a bulk has none.
func (c *call) query() (query, error) {
	if c.op.body && c.op.reads {
		out := query{}
		for _, name := range []string{"attributes", "excludedAttributes", "filter", "sortBy", "sortOrder", "startIndex", "count", "cursor"} {
			if v, ok := resource.Field(c.tree, name); ok && v != nil {
				out[name] = v
			}
		}
		return out, nil
	}
	out := query{}
	if c.inBulk {
		return out, nil
	}
	values, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return nil, fault.Invalidf("The query string is malformed.")
	}
	for name, all := range values {
		if name == "attributes" || name == "excludedAttributes" {
			if names := strings.Join(all, ","); names != "" { // an empty list is none
				out[name] = names
			}
			continue
		}
		out[name] = all[0]
	}
	return out, nil
}

// text is a text that the client gives, or "".
func (q query) text(name string) (string, error) {
	v, ok := q[name]
	s, isText := v.(string)
	if ok && !isText {
		return "", fault.Invalidf("%s must be a text.", name)
	}
	return s, nil
}

// names are those of a list; nil: it is not given.
func (q query) names(name string) []string {
	switch v := q[name].(type) {
	case string:
		out := []string{}
		for one := range strings.SplitSeq(v, ",") {
			if one = strings.TrimSpace(one); one != "" {
				out = append(out, one)
			}
		}
		return out
	case []any:
		out := []string{}
		for _, e := range v {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// search is a list that is asked for in the complete dialect.
type search struct {
	kinds  []*kind
	scope  string // that a cursor belongs to
	sorted bool
	desc   bool
	start  int
	count  int
	cursor bool
	after  *place // of the last resource of the page before
	seen   int    // how many there were when the first page was made
}

// kind is one type of resources in a search.
type kind struct {
	typ    *resource.Type
	filter *resource.Filter // nil: all
	order  *resource.Order
	show   resource.Projection

	// known is the attribute, members or groups, that has the value in whatever an index has found: it need not be read, if the filter
	// asks nothing else of it.
	known, value string
}

// knows notes that an index serves the only condition on an attribute.
func (k *kind) knows(root, value string) {
	if k.filter.Once(root) {
		k.known, k.value = root, value
	}
}

// newKind reads what is asked for of one type beside others.
func newKind(t *resource.Type, others []*resource.Type, filter, sortBy string, q query) (k *kind, err error) {
	k = &kind{typ: t}
	if filter != "" {
		if k.filter, err = t.Filter(filter, others...); err != nil {
			return nil, err
		}
	}
	if sortBy != "" {
		if k.order, err = t.Order(sortBy, others...); err != nil {
			return nil, err
		}
	}
	k.show, err = t.Projection(q.names("attributes"), q.names("excludedAttributes"))
	return k, err
}

// search reads what is asked for of some types.
func (c *call) search(types ...*resource.Type) (*search, error) {
	q, err := c.query()
	if err != nil {
		return nil, err
	}
	s := &search{start: 1, count: maxPage}
	var texts [3]string
	for i, name := range []string{"filter", "sortBy", "sortOrder"} {
		if texts[i], err = q.text(name); err != nil {
			return nil, err
		}
	}
	for i, t := range types {
		k, err := newKind(t, append(types[:i:i], types[i+1:]...), texts[0], texts[1], q)
		if err != nil {
			return nil, err
		}
		s.kinds = append(s.kinds, k)
	}
	switch strings.ToLower(texts[2]) {
	case "", "ascending":
	case "descending":
		s.desc = true
	default:
		return nil, fault.Invalidf("sortOrder is ascending or descending.")
	}
	s.sorted = texts[1] != ""
	s.scope = strings.Join(append([]string{"scim/search", c.from.ID, types[0].Name, types[len(types)-1].Name}, texts[:]...), "\x00")
	return s, c.paging(s, q)
}

// paging reads which page is asked for: by index (RFC 7644 §3.4.2.4) or by cursor (RFC 9865).
func (c *call) paging(s *search, q query) error {
	_, s.cursor = q["cursor"]
	if v, ok := q["count"]; ok && v != "" {
		n, isNumber := number(v)
		switch {
		case (!isNumber || n < 0) && s.cursor:
			return fault.Invalidf("count must be a number of resources.").WithReason("invalidCount")
		case !isNumber:
			return fault.Invalidf("count must be a number.")
		}
		s.count = max(0, min(n, maxLargePage))
	}
	if s.cursor {
		text, err := q.text("cursor")
		if err != nil {
			return fault.Invalidf("A cursor is a text.").WithReason("invalidCursor")
		}
		return c.openCursor(s, text)
	}
	if v, ok := q["startIndex"]; ok && v != "" {
		n, isNumber := number(v)
		if !isNumber {
			return fault.Invalidf("startIndex must be a number.")
		}
		s.start = max(1, n)
	}
	return nil
}
