package passkey

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"sallyport/internal/fault"
)

// Party is the relying party: one RP id, the host of the public URL, and its one origin. It is safe for concurrent use.
type Party struct {
	origin string
	lib    *webauthn.WebAuthn
}

// New returns the relying party of a public URL; name is what authenticators show, the host when it is empty. Hosts that
// browsers have no passkeys for are Invalid: addresses, names that are no domain, and plain HTTP off localhost.
func New(publicURL, name string) (*Party, error) {
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fault.Invalidf("%q is not the URL of a site: write it like https://id.example.com.", publicURL)
	}
	host := strings.ToLower(u.Hostname())
	if err := checkHost(u.Scheme, host); err != nil {
		return nil, err
	}
	if name == "" {
		name = host
	}
	origin := originOf(u.Scheme, host, u.Port())
	lib, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: name, RPOrigins: []string{origin},
		AttestationPreference: protocol.PreferNoAttestation,
		// Password managers answer extensions that nobody asked for; nothing is read from them.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
		Timeouts: webauthn.TimeoutsConfig{ // told to the browser; the ceremony's end is ours to enforce
			Login:        webauthn.TimeoutConfig{Timeout: lifetime},
			Registration: webauthn.TimeoutConfig{Timeout: lifetime},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("configure relying party: %w", err)
	}
	return &Party{origin: origin, lib: lib}, nil
}

// checkHost says why passkeys do not work on a host, before a browser does with less words.
func checkHost(scheme, host string) error {
	if _, err := netip.ParseAddr(host); err == nil {
		return fault.Invalidf("Passkeys do not work on the address %s: give the site a name, such as localhost or id.example.com.", host)
	}
	if scheme == "http" && host != "localhost" && !strings.HasSuffix(host, ".localhost") {
		return fault.Invalidf("Passkeys do not work on http://%s: browsers want https everywhere but on localhost.", host)
	}
	if strings.ContainsFunc(host, func(r rune) bool { return r > 0x7f }) {
		return fault.Invalidf("Passkeys need the name %s in its ASCII form, which begins with xn--.", host)
	}
	if err := protocol.ValidateRPID(host); err != nil {
		e := fault.Invalidf("Passkeys do not work on the name %s: it has to be a full domain name, such as id.example.com.", host)
		e.Err = err
		return e
	}
	return nil
}

// originOf is an origin as browsers write it: in lower case, without the scheme's own port.
func originOf(scheme, host, port string) string {
	if port == "" || scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		return scheme + "://" + host
	}
	return scheme + "://" + host + ":" + port
}
