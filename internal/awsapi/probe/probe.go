// Package probe makes requests out of the models: for an operation a minimal valid one, and one for every way in which a single
// member can break the model, with the answer that it must get. Tests send them; nothing that ships does.
package probe

import (
	"fmt"
	"net/http"

	"sallyport/internal/awsapi"
	"sallyport/internal/fault"
)

// Probe is a request and what must come back.
type Probe struct {
	Name    string // "instanceArn too long"
	Request *http.Request
	Body    []byte // of Request, for who signs it
	Code    string // exception code; "" where the request is valid
	Want    string // part of the message
}

// Minimal is a valid request with nothing in it but what the operation demands. base is the service's URL.
func Minimal(s *awsapi.Service, o *awsapi.OperationMeta, base string) (Probe, error) {
	return build(s, o, base, Probe{Name: "minimal"}, sampleStructure(o.In))
}

// All is a probe for each required member left out, and each length, pattern, range, enumeration and type violated, at every
// depth of the input. Members in headers are left alone: they are credentials, which the request path answers for.
func All(s *awsapi.Service, o *awsapi.OperationMeta, base string) ([]Probe, error) {
	var out []Probe
	for _, v := range violations(o.In, s.Protocol) {
		p := Probe{Name: v.name, Want: v.want}
		p.Code, _ = s.Code(fault.Newf(v.kind, "%s", v.name))
		p, err := build(s, o, base, p, v.input)
		if err != nil {
			return nil, fmt.Errorf("probe %s %q: %w", o.Name, v.name, err)
		}
		out = append(out, p)
	}
	return out, nil
}

// Texts is a probe for each place of the input where a text can be, with the given text there. What must come back is up to
// the model; that something does, and that it is no failure of ours, is up to whoever sends it.
func Texts(s *awsapi.Service, o *awsapi.OperationMeta, base, text string) ([]Probe, error) {
	var out []Probe
	for _, v := range texts(o.In, place{put: func(v any) any { return v }, protocol: s.Protocol}, text) {
		p, err := build(s, o, base, Probe{Name: v.name}, v.input)
		if err != nil {
			return nil, fmt.Errorf("probe %s %q: %w", o.Name, v.name, err)
		}
		out = append(out, p)
	}
	return out, nil
}

func texts(s *awsapi.Shape, p place, text string) []violation {
	var out []violation
	switch s.Type {
	case awsapi.Structure:
		for i := range s.Members {
			if m := &s.Members[i]; m.Location != awsapi.InHeader {
				out = append(out, texts(m.Shape, p.member(s, m), text)...)
			}
		}
	case awsapi.List:
		return texts(s.Elem, p.item(), text)
	case awsapi.Map:
		return append(texts(s.Elem, place{path: p.path + ".x", protocol: p.protocol, put: func(v any) any {
			return p.put(map[string]any{sampleString(s.Key): v})
		}}, text), violation{name: p.path + " key", input: p.put(map[string]any{text: sample(s.Elem)})})
	case awsapi.String, awsapi.Document:
		return []violation{{name: p.path, input: p.put(text)}}
	}
	return out
}
