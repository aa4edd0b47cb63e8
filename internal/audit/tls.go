package audit

import (
	"crypto/tls"
	"net/http"
	"strings"
)

// TLSDetails tell how a request came in (behaviour reference §10.6). Behind a proxy the connection is the proxy's, and only the name
// that the client asked for is known.
type TLSDetails struct {
	Version     string `json:"tlsVersion,omitempty"`  // such as TLSv1.3
	CipherSuite string `json:"cipherSuite,omitempty"` // IANA's name
	Host        string `json:"clientProvidedHostHeader,omitempty"`
}

// TLSOf reads them off a request.
func TLSOf(r *http.Request) TLSDetails {
	d := TLSDetails{Host: cut(r.Host, maxText)}
	if r.TLS != nil {
		d.Version = strings.Replace(tls.VersionName(r.TLS.Version), "TLS ", "TLSv", 1)
		d.CipherSuite = tls.CipherSuiteName(r.TLS.CipherSuite)
	}
	return d
}
