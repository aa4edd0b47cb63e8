package probe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"sallyport/internal/awsapi"
)

// build puts an input on the wire. It does not use awsapi's own encoder: that could not leave out a required member, or send a
// value of the wrong type.
func build(s *awsapi.Service, o *awsapi.OperationMeta, base string, p Probe, input any) (Probe, error) {
	fields, _ := input.(map[string]any)
	target := strings.TrimSuffix(base, "/") + o.Path
	header := http.Header{}
	query := url.Values{}
	if o.Query != "" {
		k, v, _ := strings.Cut(o.Query, "=")
		query.Set(k, v)
	}
	var err error
	switch s.Protocol {
	case awsapi.JSON:
		header.Set("Content-Type", "application/x-amz-json-1.1")
		header.Set("X-Amz-Target", s.TargetPrefix+"."+o.Name)
		p.Body, err = json.Marshal(fields)
	case awsapi.REST:
		p.Body, err = restBody(o.In, fields, header, query)
	case awsapi.Query:
		form := url.Values{"Action": {o.Name}, "Version": {s.APIVersion}}
		flatten(form, "", fields)
		header.Set("Content-Type", "application/x-www-form-urlencoded")
		p.Body = []byte(form.Encode())
	}
	if err != nil {
		return p, err
	}
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	if p.Request, err = http.NewRequest(o.Method, target, bytes.NewReader(p.Body)); err != nil {
		return p, err
	}
	p.Request.Header = header
	return p, nil
}

func restBody(in *awsapi.Shape, fields map[string]any, header http.Header, query url.Values) ([]byte, error) {
	body := map[string]any{}
	hasBody := false
	for _, m := range in.Members {
		hasBody = hasBody || m.Location == awsapi.InBody
		v, ok := fields[m.Name]
		switch {
		case !ok:
		case m.Location == awsapi.InHeader:
			header.Set(m.LocationName, fmt.Sprint(v))
		case m.Location == awsapi.InQuery:
			query.Set(m.LocationName, fmt.Sprint(v))
		default:
			body[m.Name] = v
		}
	}
	if !hasBody {
		return nil, nil
	}
	header.Set("Content-Type", "application/json")
	return json.Marshal(body)
}

func flatten(form url.Values, name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			flatten(form, strings.TrimPrefix(name+"."+k, "."), e)
		}
	case []any:
		if len(v) == 0 {
			form.Set(name, "")
		}
		for i, e := range v {
			flatten(form, name+".member."+strconv.Itoa(i+1), e)
		}
	default:
		form.Set(name, fmt.Sprint(v))
	}
}
