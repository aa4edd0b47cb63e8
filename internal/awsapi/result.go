package awsapi

import (
	"bytes"
	"net/http"
	"reflect"
	"strconv"
)

// Content types of answers.
const (
	contentAWSJSON = "application/x-amz-json-1.1"
	contentJSON    = "application/json"
	contentXML     = "text/xml"
)

// WriteResult writes the answer of an operation: out is what Invoke returned.
func (s *Service) WriteResult(w http.ResponseWriter, o *OperationMeta, out any, requestID string) {
	h := w.Header()
	h.Set("X-Amzn-RequestId", requestID)
	if ct := s.contentType(); o.Out != nil || s.Protocol != REST {
		h.Set("Content-Type", ct)
	}
	body := s.encodeResult(o, out, requestID)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body) // the client is gone if this fails, and nobody is left to tell
}

// encodeResult is the body. Operations that return nothing have {} on awsJson, which some SDKs insist on, and none on REST.
func (s *Service) encodeResult(o *OperationMeta, out any, requestID string) []byte {
	if s.Protocol == Query {
		return s.queryResult(o, out, requestID)
	}
	if o.Out == nil {
		if s.Protocol == REST {
			return nil
		}
		return []byte("{}")
	}
	return appendJSON(make([]byte, 0, 1024), o.Out, reflect.ValueOf(out).Elem())
}

func (s *Service) queryResult(o *OperationMeta, out any, requestID string) []byte {
	var b bytes.Buffer
	b.WriteString("<" + o.Name + `Response xmlns="` + s.XMLNamespace + `">`)
	if o.Out != nil && o.ResultWrapper != "" { // clients fail where a modelled wrapper is missing
		writeXML(&b, o.ResultWrapper, o.Out, reflect.ValueOf(out).Elem())
	}
	b.WriteString("<ResponseMetadata>")
	writeElement(&b, "RequestId", requestID)
	b.WriteString("</ResponseMetadata></" + o.Name + "Response>")
	return b.Bytes()
}

func (s *Service) contentType() string {
	switch s.Protocol {
	case REST:
		return contentJSON
	case Query:
		return contentXML
	}
	return contentAWSJSON
}
