package scim

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/scim/resource"
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

// asked is what a list is asked for in AWS's dialect.
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
	out, err := resource.Equalities(text)
	if err != nil {
		return nil, err
	}
	for _, set := range allowed {
		if len(set) == len(out) && !slices.ContainsFunc(set, func(name string) bool { _, ok := out[name]; return !ok }) {
			return out, nil
		}
	}
	return nil, fault.Invalidf("Invalid Filter format").WithReason("invalidFilter")
}

// answerList writes rows in the form that was asked for.
func (c *call) answerList(a asked, rows []any, next page.Key) answer {
	out := listing{Schemas: []string{listMessage}, ItemsPerPage: len(rows), Resources: append([]any{}, rows...)}
	if !a.cursor {
		out.TotalResults, out.StartIndex = new(len(rows)), new(1)
	} else if next != nil {
		out.NextCursor = new(c.s.Pages.Seal(a.scope, next))
	}
	return answer{status: http.StatusOK, body: out}
}
