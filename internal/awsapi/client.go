package awsapi

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"sallyport/internal/fault"
)

// NewRequest encodes a call of the operation, unsigned: the client's side of DecodeRequest. base is the service's URL.
func (s *Service) NewRequest(ctx context.Context, base string, o *OperationMeta, in any) (*http.Request, error) {
	target := strings.TrimSuffix(base, "/") + o.Path
	if o.Query != "" {
		target += "?" + o.Query
	}
	body, content := s.encodeRequest(o, reflect.ValueOf(in).Elem())
	r, err := http.NewRequestWithContext(ctx, o.Method, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make request for %s: %w", o.Name, err)
	}
	if content != "" {
		r.Header.Set("Content-Type", content)
	}
	switch s.Protocol {
	case JSON:
		r.Header.Set("X-Amz-Target", s.TargetPrefix+"."+o.Name)
	case REST:
		setBindings(r, o.In, reflect.ValueOf(in).Elem())
	}
	return r, nil
}

func (s *Service) encodeRequest(o *OperationMeta, v reflect.Value) (body []byte, contentType string) {
	switch {
	case s.Protocol == Query:
		form := url.Values{"Action": {o.Name}, "Version": {s.APIVersion}}
		appendForm(form, "", o.In, v)
		return []byte(form.Encode()), "application/x-www-form-urlencoded"
	case s.Protocol == REST && !o.In.hasBody():
		return nil, ""
	}
	return appendJSON(nil, o.In, v), s.contentType()
}

// setBindings puts members into headers and the query string.
func setBindings(r *http.Request, in *Shape, v reflect.Value) {
	query := r.URL.Query()
	for i := range in.Members {
		m := &in.Members[i]
		f, ok := present(m, v.Field(i))
		if !ok {
			continue
		}
		switch m.Location {
		case InHeader:
			r.Header.Set(m.LocationName, scalarText(m.Shape, f))
		case InQuery:
			query.Set(m.LocationName, scalarText(m.Shape, f))
		}
	}
	r.URL.RawQuery = query.Encode()
}

// ResponseError is an exception as a client sees it.
type ResponseError struct {
	Status        int
	Code, Message string
}

func (e *ResponseError) Error() string { return e.Code + ": " + e.Message }

// ReadResult decodes an answer: the client's side of WriteResult and WriteError. It returns a pointer to the generated output,
// or a *ResponseError.
func (s *Service) ReadResult(o *OperationMeta, r *http.Response, body []byte) (any, error) {
	if r.StatusCode >= http.StatusBadRequest {
		return nil, s.readError(r, body)
	}
	out := o.NewOut()
	if o.Out == nil {
		return out, nil
	}
	src, err := s.resultTree(o, body)
	if err != nil {
		return nil, fmt.Errorf("read answer of %s: %w", o.Name, err)
	}
	var w walker
	if err := w.value(o.Out, nil, src, reflect.ValueOf(out).Elem()); err != nil {
		return nil, fmt.Errorf("read answer of %s: %w", o.Name, err)
	}
	return out, nil
}

func (s *Service) resultTree(o *OperationMeta, body []byte) (any, error) {
	if s.Protocol != Query {
		return jsonTree(body)
	}
	root, err := parseXML(body)
	if err != nil {
		return nil, err
	}
	return root.child(o.ResultWrapper).tree(o.Out), nil
}

func (s *Service) readError(r *http.Response, body []byte) error {
	e := &ResponseError{Status: r.StatusCode, Code: r.Header.Get("X-Amzn-ErrorType")}
	if s.Protocol == Query {
		root, err := parseXML(body)
		if err != nil {
			return err
		}
		details := root.child("Error")
		e.Code, e.Message = details.child("Code").text, details.child("Message").text
		return e
	}
	src, err := jsonTree(body)
	if err != nil {
		return err
	}
	fields, _ := src.(map[string]any)
	if e.Code == "" {
		e.Code, _ = fields["__type"].(string)
	}
	for _, name := range []string{"message", "Message", "error_description"} {
		if m, ok := fields[name].(string); ok {
			e.Message = m
		}
	}
	return e
}

// element is an XML element without its attributes.
type element struct {
	name, text string
	children   []*element
}

func parseXML(body []byte) (*element, error) {
	dec := xml.NewDecoder(bytes.NewReader(body))
	stack := []*element{{}}
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) && len(stack) == 1 && len(stack[0].children) == 1 {
			return stack[0].children[0], nil
		}
		if err != nil {
			return nil, fault.Newf(fault.Malformed, "The answer is not XML.")
		}
		top := stack[len(stack)-1]
		switch t := tok.(type) {
		case xml.StartElement:
			if len(stack) > maxDepth {
				return nil, fault.Newf(fault.Malformed, "The answer is nested deeper than %d levels.", maxDepth)
			}
			e := &element{name: t.Name.Local}
			top.children = append(top.children, e)
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(t)
		}
	}
}

// child is the named child, or an empty element.
func (e *element) child(name string) *element {
	for _, c := range e.children {
		if c.name == name {
			return c
		}
	}
	return &element{}
}

// tree gives an element the form that the walker expects of its shape.
func (e *element) tree(s *Shape) any {
	switch s.Type {
	case Structure:
		fields := form{}
		for i := range s.Members {
			m := &s.Members[i]
			for _, c := range e.children {
				if c.name == m.Name {
					fields[m.Name] = c.tree(m.Shape)
				}
			}
		}
		return fields
	case List:
		items := []any{}
		for _, c := range e.children {
			items = append(items, c.tree(s.Elem))
		}
		return items
	case Map:
		entries := map[string]any{}
		for _, c := range e.children {
			entries[c.child("key").text] = c.child("value").tree(s.Elem)
		}
		return entries
	}
	return text(e.text)
}
