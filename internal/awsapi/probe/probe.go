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
