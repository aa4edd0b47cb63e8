package doctor

// ProbePath is where a server says what a request looked like when it arrived. What follows the path does not matter, so
// that a path can be tried.
const ProbePath = "/.well-known/sallyport/probe"

// Probe is what a request looked like when it arrived. There is no secret in it: of headers only their names.
type Probe struct {
	Host    string   `json:"host"`
	Scheme  string   `json:"scheme"`  // as the client speaks it: https, http; empty: the proxy did not say
	Client  string   `json:"client"`  // the client's address
	Proxied bool     `json:"proxied"` // the connection is a trusted proxy's
	URI     string   `json:"uri"`     // path and query as they were on the wire
	Headers []string `json:"headers"` // those of ProbeHeaders that came with a value
}

// ProbeHeaders are the request headers that Sallyport's protocols rest on, but for Host: the portal's bearer token, SigV4, and
// what tells the operations of the JSON services apart.
var ProbeHeaders = []string{
	"X-Amz-Sso_bearer_token", "Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256", "X-Amz-Target",
}
