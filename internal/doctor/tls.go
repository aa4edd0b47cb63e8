package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"time"
)

// soon is when an end of a certificate is worth a warning. Automatic renewal happens before that.
const soon = 14 * 24 * time.Hour

// secure looks at TLS: whether there is any, who vouches for the certificate, and until when. It is false when nothing more can
// be asked.
func (d *Doctor) secure(ctx context.Context) bool {
	if d.URL.Scheme == "http" {
		if ip := net.ParseIP(d.URL.Hostname()); d.URL.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
			d.add("tls", OK, "", "Plain HTTP, on this machine alone.")
			return true
		}
		d.add("tls", Bad, "Serve an https:// URL: with --tls-cert and --tls-key, with --acme, or behind a proxy.", "The URL is plain HTTP, so passwords and tokens can be read on the way.")
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{ServerName: d.URL.Hostname(), InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}} // judge judges
	conn, err := dialer.DialContext(ctx, "tcp", d.address())
	if err != nil {
		d.add("tls", Bad, "Look at the log of the server or its proxy; with --acme the first certificate may not be there yet.", "There is no TLS 1.2 or newer: %v.", plain(err))
		return false
	}
	defer conn.Close()
	d.judge(conn.(*tls.Conn).ConnectionState())
	return true
}

// judge holds the certificates that were shown against the system's and the given authorities.
func (d *Doctor) judge(state tls.ConnectionState) {
	leaf := state.PeerCertificates[0]
	opts := x509.VerifyOptions{DNSName: d.URL.Hostname(), Intermediates: x509.NewCertPool(), CurrentTime: d.Clock.Now()}
	for _, c := range state.PeerCertificates[1:] {
		opts.Intermediates.AddCert(c)
	}
	_, err := leaf.Verify(opts)
	if err != nil && d.Roots != nil {
		opts.Roots = d.Roots
		_, err = leaf.Verify(opts)
		d.private = err == nil
	}
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	left := leaf.NotAfter.Sub(opts.CurrentTime)
	day := leaf.NotAfter.Format(time.DateOnly)
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && left < 0:
		d.add("tls", Bad, "Renew it; the server reads certificate files again by itself.", "The certificate has expired on %s.", day)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		d.add("tls", Bad, "Set the clock of this machine, or wait.", "The certificate is valid from %s only.", leaf.NotBefore.Format(time.DateTime))
	case errors.As(err, &name):
		d.add("tls", Bad, "Serve a certificate that has the URL's host among its names.", "The certificate is for other names: %v.", err)
	case errors.As(err, &unknown):
		d.add("tls", Bad, "Serve the whole chain: the certificate, then the intermediate ones. For an authority of your own say --ca FILE here, and AWS_CA_BUNDLE=FILE to clients.",
			"The certificate's authority, %s, is not known here; the server shows %d certificate(s).", leaf.Issuer, len(state.PeerCertificates))
	case err != nil:
		d.add("tls", Bad, "Serve a certificate that clients accept.", "The certificate is not accepted: %v.", err)
	case left < soon:
		d.add("tls", Warn, "See to it that it is renewed.", "%s, and the certificate ends on %s already.", tls.VersionName(state.Version), day)
	default:
		d.add("tls", OK, "", "%s, and the certificate is good until %s.", tls.VersionName(state.Version), day)
	}
}

// plain is an error without where it happened, which the text says already.
func plain(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}
