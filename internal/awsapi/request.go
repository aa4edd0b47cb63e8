package awsapi

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"unicode/utf8"

	"sallyport/internal/fault"
)

// DecodeRequest is Operation.Decode for callers that have no operation bound to an implementation.
func (s *Service) DecodeRequest(o *OperationMeta, r *http.Request, body []byte) (any, error) {
	src, err := s.source(o, r, body)
	if err != nil {
		return nil, err
	}
	in := o.NewIn()
	w := walker{check: true}
	if err := w.value(o.In, nil, src, reflect.ValueOf(in).Elem()); err != nil {
		return nil, err
	}
	return in, w.fault()
}

// source reads the request into the tree that the walker binds.
func (s *Service) source(o *OperationMeta, r *http.Request, body []byte) (any, error) {
	switch s.Protocol {
	case REST:
		return restTree(o.In, r, body)
	case Query:
		values, err := formValues(r, body)
		if err != nil {
			return nil, err
		}
		return formTree(values)
	}
	return jsonTree(body)
}

// jsonTree reads a JSON body. Some clients send none where the input has no members.
func jsonTree(body []byte) (any, error) {
	if len(body) == 0 {
		return map[string]any{}, nil
	}
	return parseJSON(body)
}

// restTree puts members from headers and the query string beside those of the JSON body. A body cannot stand in for them.
func restTree(in *Shape, r *http.Request, body []byte) (any, error) {
	fields := map[string]any{}
	if in.hasBody() {
		src, err := jsonTree(body)
		if err != nil {
			return nil, err
		}
		obj, ok := src.(map[string]any)
		if !ok {
			return nil, unexpected(src, "structure", nil)
		}
		fields = obj
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fault.Newf(fault.Malformed, "The query string is malformed.")
	}
	for i := range in.Members {
		m := &in.Members[i]
		var values []string
		switch m.Location {
		case InBody:
			continue
		case InHeader:
			values = r.Header.Values(m.LocationName)
		case InQuery:
			values = query[m.LocationName]
		}
		delete(fields, m.Name)
		if len(values) > 1 {
			return nil, fault.Newf(fault.Malformed, "%s is given more than once.", m.LocationName)
		}
		if len(values) == 1 {
			if !utf8.ValidString(values[0]) {
				return nil, fault.Newf(fault.Malformed, "%s is not UTF-8.", m.LocationName)
			}
			fields[m.Name] = text(values[0])
		}
	}
	return fields, nil
}

func (s *Shape) hasBody() bool {
	for i := range s.Members {
		if s.Members[i].Location == InBody {
			return true
		}
	}
	return false
}

// OperationName tells which operation of the service a request names.
func (s *Service) OperationName(r *http.Request, body []byte) (string, error) {
	switch s.Protocol {
	case REST:
		return s.restOperation(r)
	case Query:
		return s.queryOperation(r, body)
	}
	target := r.Header.Get("X-Amz-Target")
	dot := strings.LastIndexByte(target, '.')
	if r.Method == http.MethodPost && dot > 0 && s.targets(target[:dot]) && s.operation(target[dot+1:]) != nil {
		return target[dot+1:], nil
	}
	return "", fault.Newf(fault.UnknownOperation, "%s has no such operation.", s.ID)
}

// targets tells whether a prefix of X-Amz-Target means the service. Smithy's SDKs leave out the Java package that CloudTrail's model
// has before its name (wire-protocols §1).
func (s *Service) targets(prefix string) bool {
	return prefix == s.TargetPrefix || strings.HasSuffix(s.TargetPrefix, "."+prefix)
}

// restOperation matches method and path. Of two operations at one path, the one with a fixed query string comes first.
func (s *Service) restOperation(r *http.Request) (string, error) {
	name := ""
	for _, o := range s.Operations {
		if o.Method != r.Method || o.Path != r.URL.Path {
			continue
		}
		if o.Query != "" && hasQuery(r.URL, o.Query) {
			return o.Name, nil
		}
		if o.Query == "" {
			name = o.Name
		}
	}
	if name == "" {
		return "", fault.Newf(fault.UnknownOperation, "%s has no such operation.", s.ID)
	}
	return name, nil
}

// hasQuery tells whether the URL's query string has the given pair.
func hasQuery(u *url.URL, pair string) bool {
	k, v, _ := strings.Cut(pair, "=")
	return u.Query().Get(k) == v
}

func (s *Service) queryOperation(r *http.Request, body []byte) (string, error) {
	values, err := formValues(r, body)
	if err != nil {
		return "", err
	}
	action, version := values.Get("Action"), values.Get("Version")
	if action == "" {
		return "", fault.Newf(fault.UnknownOperation, "The request names no Action.")
	}
	if version != s.APIVersion || s.operation(action) == nil {
		return "", fault.Newf(fault.UnknownOperation, "Could not find operation %.64s for version %.64s", action, version)
	}
	return action, nil
}

func (s *Service) operation(name string) *OperationMeta {
	for _, o := range s.Operations {
		if o.Name == name {
			return o
		}
	}
	return nil
}
