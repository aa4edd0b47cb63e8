package endpoint

import (
	"net/http"

	"sallyport/internal/awsapi"
	"sallyport/internal/fault"
)

// place is where a REST operation lives.
type place struct{ method, path string }

// Serves tells whether a request is for one of the mounted APIs rather than for a page (wire-protocols §2).
func (a *API) Serves(r *http.Request) bool {
	if r.URL.Path == "/" {
		return r.Method == http.MethodPost || r.Method == http.MethodGet && r.URL.Query().Has("Action")
	}
	return a.places[place{r.Method, r.URL.Path}] != nil
}

// route finds the operation. The mount is never nil: an error needs a service whose wire it is written on.
func (a *API) route(r *http.Request, body []byte) (*mount, *awsapi.Operation[*Call], error) {
	if m := a.places[place{r.Method, r.URL.Path}]; m != nil {
		name, err := m.service.OperationName(r, body)
		return m, m.ops[name], err
	}
	protocol := awsapi.Query
	switch {
	case r.URL.Path != "/":
		protocol = awsapi.REST
	case r.Header.Get("X-Amz-Target") != "":
		protocol = awsapi.JSON
	}
	other := a.mounts[0]
	unserved := error(fault.Newf(fault.UnknownOperation, "No service here speaks this protocol."))
	for _, m := range a.mounts {
		if m.service.Protocol != protocol {
			continue
		}
		name, err := m.service.OperationName(r, body)
		if err == nil {
			return m, m.ops[name], nil
		}
		other, unserved = m, err
	}
	return other, nil, unserved
}
