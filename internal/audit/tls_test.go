package audit_test

import (
	"crypto/tls"
	"net/http"
	"testing"

	"sallyport/internal/audit"
)

func TestTLSOf(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		state *tls.ConnectionState
		want  audit.TLSDetails
	}{
		"by a proxy": {nil, audit.TLSDetails{Host: "id.example.org"}},
		"TLS 1.3": {
			&tls.ConnectionState{Version: tls.VersionTLS13, CipherSuite: tls.TLS_AES_128_GCM_SHA256},
			audit.TLSDetails{Version: "TLSv1.3", CipherSuite: "TLS_AES_128_GCM_SHA256", Host: "id.example.org"},
		},
		"TLS 1.2": {
			&tls.ConnectionState{Version: tls.VersionTLS12, CipherSuite: tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384},
			audit.TLSDetails{Version: "TLSv1.2", CipherSuite: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Host: "id.example.org"},
		},
	} {
		if got := audit.TLSOf(&http.Request{Host: "id.example.org", TLS: tc.state}); got != tc.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
