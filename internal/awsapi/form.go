package awsapi

import (
	"bytes"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"sallyport/internal/fault"
)

// formValues are the parameters of a Query request: of the URL, since a presigned GET is valid, and of a form body.
func formValues(r *http.Request, body []byte) (url.Values, error) {
	if len(body) > MaxBody {
		return nil, fault.Newf(fault.Malformed, "The request body is larger than %d bytes.", MaxBody)
	}
	if strings.Count(r.URL.RawQuery, "&")+bytes.Count(body, []byte("&")) > maxValues {
		return nil, fault.Newf(fault.Malformed, "The request has more than %d parameters.", maxValues)
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fault.Newf(fault.Malformed, "The query string is malformed.")
	}
	if r.Method != http.MethodPost {
		return values, nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fault.Newf(fault.Malformed, "The request body is not a form.")
	}
	for k, v := range form {
		values[k] = append(values[k], v...)
	}
	return values, nil
}

// formTree unfolds dotted names: Tags.member.1.Key becomes a field in a form in a form in a form.
func formTree(values url.Values) (any, error) {
	root := form{}
	for _, name := range sortedKeys(values) {
		if len(values[name]) > 1 {
			return nil, fault.Newf(fault.Malformed, "Parameter %.128q is given more than once.", name)
		}
		if !utf8.ValidString(values[name][0]) {
			return nil, fault.Newf(fault.Malformed, "Parameter %.128q is not UTF-8.", name)
		}
		if err := root.put(name, values[name][0]); err != nil {
			return nil, err
		}
	}
	return root, nil
}

func (f form) put(name, value string) error {
	steps := strings.Split(name, ".")
	if len(steps) > maxDepth {
		return fault.Newf(fault.Malformed, "A parameter is nested deeper than %d levels.", maxDepth)
	}
	for _, step := range steps[:len(steps)-1] {
		next, ok := f[step].(form)
		if !ok {
			if f[step] != nil {
				return fault.Newf(fault.Malformed, "Parameter %.128q is both a value and a structure.", name)
			}
			next = form{}
			f[step] = next
		}
		f = next
	}
	last := steps[len(steps)-1]
	if f[last] != nil {
		return fault.Newf(fault.Malformed, "Parameter %.128q is both a value and a structure.", name)
	}
	f[last] = text(value)
	return nil
}

// appendForm folds a value into parameters, the way back. An empty list is an empty parameter.
func appendForm(values url.Values, name string, s *Shape, v reflect.Value) {
	switch s.Type {
	case Structure:
		for i := range s.Members {
			m := &s.Members[i]
			if f, ok := present(m, v.Field(i)); ok {
				appendForm(values, joinDot(name, m.Name), m.Shape, f)
			}
		}
	case List:
		if v.Len() == 0 {
			values.Set(name, "")
		}
		for i := range v.Len() {
			appendForm(values, name+".member."+strconv.Itoa(i+1), s.Elem, v.Index(i))
		}
	default:
		values.Set(name, scalarText(s, v))
	}
}

func joinDot(a, b string) string {
	if a == "" {
		return b
	}
	return a + "." + b
}
