package scim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	filter "github.com/scim2/filter-parser/v2"

	"sallyport/internal/fault"
	"sallyport/internal/page"
)

// listing is a ListResponse: in AWS's old form, whose total is the number that is shown, or with cursors.
type listing struct {
	Schemas      []string `json:"schemas"`
	TotalResults *int     `json:"totalResults,omitempty"`
	ItemsPerPage int      `json:"itemsPerPage"`
	StartIndex   *int     `json:"startIndex,omitempty"`
	NextCursor   *string  `json:"nextCursor,omitempty"`
	Resources    []any    `json:"Resources"`
}

// asked is what a list is asked for.
type asked struct {
	conditions map[string]string // nil: no filter
	q          page.Query
	scope      string
	cursor     bool
}

func (c *call) asked(filters ...[]string) (a asked, err error) {
	values, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return a, fault.Invalidf("The query string is malformed.")
	}
	a.q.Limit = maxPage
	if text := values.Get("count"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return a, fault.Invalidf("count must be a number.")
		}
		a.q.Limit = max(0, min(n, maxPage))
	}
	if text := values.Get("filter"); text != "" {
		if a.conditions, err = conditions(text, filters); err != nil {
			return a, err
		}
	}
	a.scope = "scim/" + c.op.name + "/" + c.from.ID + "/" + values.Get("filter")
	if a.cursor = values.Has("cursor"); a.cursor {
		a.q.After, err = c.s.Pages.Open(a.scope, values.Get("cursor"))
	}
	return a, err
}

// conditions are those of a filter in AWS's dialect: eq joined by and, over one of the sets of attributes.
func conditions(text string, allowed [][]string) (map[string]string, error) {
	bad := fault.Invalidf("Invalid Filter format").WithReason("invalidFilter")
	if len(text) > maxPath {
		return nil, bad
	}
	e, err := filter.ParseFilterNumber([]byte(text))
	if err != nil {
		return nil, bad
	}
	out := map[string]string{}
	if !flatten(e, out) {
		return nil, bad
	}
	for _, set := range allowed {
		if len(set) != len(out) {
			continue
		}
		all := true
		for _, name := range set {
			_, ok := out[name]
			all = all && ok
		}
		if all {
			return out, nil
		}
	}
	return nil, bad
}

// flatten collects the conditions, by the names of their attributes in lower case.
func flatten(e filter.Expression, out map[string]string) bool {
	switch e := e.(type) {
	case *filter.LogicalExpression:
		return strings.EqualFold(string(e.Operator), string(filter.AND)) && flatten(e.Left, out) && flatten(e.Right, out)
	case *filter.AttributeExpression:
		value, ok := unescaped(e.CompareValue).(string)
		name := strings.ToLower(e.AttributePath.AttributeName)
		if part := e.AttributePath.SubAttributeName(); part != "" {
			name += "." + strings.ToLower(part)
		}
		if _, twice := out[name]; twice || !ok || !strings.EqualFold(string(e.Operator), string(filter.EQ)) {
			return false
		}
		out[name] = value
		return true
	}
	return false
}

// unescaped is a value of a filter. The parser leaves texts as they are written, and they are JSON's (RFC 7644 §3.4.2.2, case S06).
func unescaped(v any) any {
	text, ok := v.(string)
	if !ok {
		return v
	}
	if err := json.Unmarshal([]byte(`"`+text+`"`), &text); err != nil {
		return nil
	}
	return text
}

// answerList writes rows in the form that was asked for.
func (c *call) answerList(a asked, rows []any, next page.Key) answer {
	out := listing{Schemas: []string{listMessage}, ItemsPerPage: len(rows), Resources: append([]any{}, rows...)}
	if !a.cursor {
		out.TotalResults, out.StartIndex = new(len(rows)), new(1)
	} else if next != nil {
		out.NextCursor = new(c.s.Pages.Seal(a.scope, next))
	}
	return answer{http.StatusOK, out, ""}
}
