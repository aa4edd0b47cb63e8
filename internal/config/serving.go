package config

import (
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"strings"

	"sallyport/internal/fault"
)

func (c *Config) completeURL() error {
	if c.URL == "" {
		return fault.Invalidf("No URL: say --url https://host or http://localhost:port.")
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http") || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return fault.Invalidf("The URL %q will not do: expected https://host or http://host:port, without a path (clients drop path prefixes).", c.URL)
	}
	if u.Scheme == "http" && !Loopback(u.Hostname()) {
		return fault.Invalidf("The URL %q will not do: off this machine nobody signs in over plain HTTP. Say https://, and see `sallyport serve --help` for the ways to TLS.", c.URL)
	}
	c.URL = u.Scheme + "://" + u.Host
	if c.Listen == "" {
		port := u.Port()
		if port == "" {
			port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
		}
		c.Listen = net.JoinHostPort("127.0.0.1", port)
	}
	return nil
}

// HTTPS says that people reach the server by https, whoever ends TLS.
func (c *Config) HTTPS() bool { return strings.HasPrefix(c.URL, "https://") }

// TLS says that the server ends TLS itself.
func (c *Config) TLS() bool { return c.TLSCert != "" || c.ACME }

func (c *Config) completeTLS() error {
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return fault.Invalidf("A certificate needs its key: say both --tls-cert and --tls-key.")
	case c.TLSCert != "" && c.ACME:
		return fault.Invalidf("Certificates come from files or by ACME: say --tls-cert and --tls-key, or --acme, not both.")
	case c.TLS() && !c.HTTPS():
		return fault.Invalidf("The URL %s is not https://, but a certificate is configured: say --url https://host.", c.URL)
	case !c.ACME && c.ACMEEmail+c.ACMEDirectory+c.ACMECAFile != "":
		return fault.Invalidf("ACME is configured but not on: say --acme, or remove the acme_… settings.")
	case c.HTTPListen != "" && !c.TLS():
		return fault.Invalidf("The plain-HTTP address --http-listen only leads to TLS, and there is none: say --tls-cert and --tls-key, or --acme.")
	}
	if _, _, err := net.SplitHostPort(c.HTTPListen); c.HTTPListen != "" && err != nil {
		return fault.Invalidf("The plain-HTTP address %q will not do: expected host:port.", c.HTTPListen)
	}
	if c.ACME {
		return c.completeACME()
	}
	return nil
}

func (c *Config) completeACME() error {
	base, err := url.Parse(c.URL)
	if err != nil {
		return err
	}
	if host := base.Hostname(); net.ParseIP(host) != nil || !strings.Contains(strings.Trim(host, "."), ".") {
		return fault.Invalidf("ACME gives certificates to public names only, and %s is none: serve it with --tls-cert and --tls-key.", host)
	}
	if d, err := url.Parse(c.ACMEDirectory); c.ACMEDirectory != "" && (err != nil || d.Scheme != "https" || d.Host == "") {
		return fault.Invalidf("The ACME directory %q will not do: expected an https:// URL.", c.ACMEDirectory)
	}
	if _, err := mail.ParseAddress(c.ACMEEmail); c.ACMEEmail != "" && err != nil {
		return fault.Invalidf("The ACME e-mail address %q will not do: %v.", c.ACMEEmail, err)
	}
	return nil
}

// CheckListen refuses an address at which people would sign in over plain HTTP, and for `dev` one that others reach.
func (c *Config) CheckListen() error {
	host, _, err := net.SplitHostPort(c.Listen)
	switch {
	case err != nil:
		return fault.Invalidf("The listen address %q will not do: expected host:port.", c.Listen)
	case Loopback(host) || c.Dev && c.UnsafeListen:
		return nil
	case c.Dev:
		return fault.Invalidf("The address %s is not loopback, and the world of `sallyport dev` is not for others to reach. If you must: --unsafe-listen.", c.Listen)
	case !c.TLS() && len(c.TrustedProxies) == 0:
		return fault.Invalidf("The address %s is not loopback, so it needs TLS: say --tls-cert and --tls-key, or --acme, or name the proxy that ends TLS with --trusted-proxies.", c.Listen)
	}
	return nil
}

// Loopback tells whether a host is this machine and nothing else.
func Loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// maxProxies bounds the list: every request is held against it.
const maxProxies = 64

func (c *Config) completeProxies() error {
	if len(c.TrustedProxies) > 0 && !c.HTTPS() {
		return fault.Invalidf("The URL %s is not https://, so there is nothing that a proxy could be trusted with: say --url https://host, or remove trusted_proxies.", c.URL)
	}
	if len(c.TrustedProxies) > maxProxies {
		return fault.Invalidf("There are more than %d trusted proxies: name their networks, such as 10.0.0.0/8.", maxProxies)
	}
	for _, entry := range c.TrustedProxies {
		if _, err := parseProxy(entry); err != nil {
			return err
		}
	}
	return nil
}

// loopbackProxies are trusted where nobody else can connect.
var loopbackProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// Proxies are the peers whose X-Forwarded-For and X-Forwarded-Proto are believed: those that are configured; without any,
// this machine's own when the URL is https and the server listens on loopback without TLS, since a local proxy must be there.
func (c *Config) Proxies() []netip.Prefix {
	host, _, _ := net.SplitHostPort(c.Listen)
	if len(c.TrustedProxies) == 0 && c.HTTPS() && !c.TLS() && Loopback(host) {
		return loopbackProxies
	}
	var all []netip.Prefix
	for _, entry := range c.TrustedProxies {
		if p, err := parseProxy(entry); err == nil { // completeProxies has refused the others
			all = append(all, p)
		}
	}
	return all
}

// parseProxy reads an address or a prefix. An IPv4 address inside IPv6 is taken for what it is.
func parseProxy(entry string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(entry)
	if err != nil && !strings.Contains(entry, "/") {
		var a netip.Addr
		if a, err = netip.ParseAddr(entry); err == nil {
			a = a.Unmap().WithZone("")
			p = netip.PrefixFrom(a, a.BitLen())
		}
	}
	switch {
	case err != nil:
		return netip.Prefix{}, fault.Invalidf("The trusted proxy %q will not do: expected an address or a network, such as 10.0.0.5 or 10.0.0.0/8.", entry)
	case p.Addr().Is4In6():
		return netip.Prefix{}, fault.Invalidf("The trusted proxy %q will not do: write IPv4 networks in IPv4's way, such as 10.0.0.0/8.", entry)
	case p.Bits() == 0:
		return netip.Prefix{}, fault.Invalidf("The trusted proxy %q is everybody, and whoever is trusted can claim any address: name the proxy's own network.", entry)
	}
	return p.Masked(), nil
}
