package session

import (
	"errors"
	"net/netip"
	"net/url"
	"testing"

	"sallyport/internal/fault"
	"sallyport/internal/store/storetest"
)

// FuzzClientID: whatever is made of a client id, it is refused unless it is the very one.
func FuzzClientID(f *testing.F) {
	w := newWorld(f, storetest.Open)
	c := w.cli()
	f.Add(c.ID, string(c.Secret))
	f.Add(c.ID[:len(c.ID)-1], string(c.Secret))
	f.Add("", "")
	f.Add("AQ", "x")
	f.Fuzz(func(t *testing.T, id, secret string) {
		_, err := w.authenticate(id, secret)
		if genuine := id == c.ID && secret == string(c.Secret); genuine != (err == nil) {
			t.Errorf("authenticate(%q, %q) = %v", id, secret, err)
		}
		if err != nil {
			wantReason(t, err, invalidClient)
		}
	})
}

// FuzzDeviceCode: the same for device codes.
func FuzzDeviceCode(f *testing.F) {
	w := newWorld(f, storetest.Open)
	c := w.register(Registration{})
	d, poll := w.start(c)
	opened, err := w.openClient(c.ID)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(d.DeviceCode))
	f.Add(poll.ClientID) // a client id is sealed with the same key, and is no device code
	f.Add("")
	f.Fuzz(func(t *testing.T, code string) {
		if _, err := w.openDevice(opened, code); code != string(d.DeviceCode) {
			wantReason(t, err, invalidGrant)
		}
	})
}

// FuzzAuthorize: no query makes the page redirect to anywhere but a port of this machine.
func FuzzAuthorize(f *testing.F) {
	w := newWorld(f, storetest.Open)
	c := w.cli()
	f.Add(authorizeQuery(c).Encode())
	f.Add("client_id=x&redirect_uri=http://evil.test")
	f.Add("redirect_uri=http://127.0.0.1:80/oauth/callback&redirect_uri=http://evil.test&state=%0d%0aX:y")
	f.Add("redirect_uri=http://127.0.0.1:1@evil.test/oauth/callback&response_type=token&state=a&state=b")
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		q.Set("client_id", c.ID)
		r, err := w.CheckAuthorize(q)
		var told *RedirectError
		to := r.RedirectURI
		switch {
		case errors.As(err, &told):
			to = told.Location()
		case err != nil && fault.As(err) == nil:
			t.Fatalf("internal error: %v", err)
		case err != nil:
			return
		}
		u, err := url.Parse(to)
		if err != nil || u.Scheme != "http" || u.Hostname() != "127.0.0.1" || u.Path != "/oauth/callback" || u.User != nil {
			t.Errorf("%q redirects to %q", raw, to)
		}
	})
}

// FuzzLoopback: what is taken for a loopback redirect URI is one to the standard library too.
func FuzzLoopback(f *testing.F) {
	f.Add("http://127.0.0.1:51763/oauth/callback")
	f.Add("http://[::1]:1/")
	f.Add("http://127.0.0.1:1@evil.test/")
	f.Add("http://[::1%25x]/")
	f.Fuzz(func(t *testing.T, s string) {
		if _, ok := parseLoopback(s); !ok {
			return
		}
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		a, err := netip.ParseAddr(u.Hostname())
		if err != nil || !a.IsLoopback() || u.Scheme != "http" || u.User != nil || u.Fragment != "" || u.RawQuery != "" {
			t.Errorf("%q is taken for a loopback URI", s)
		}
	})
}

// FuzzStartURL: an accepted start URL names one of our hosts.
func FuzzStartURL(f *testing.F) {
	f.Add(testStart)
	f.Add("https://d-1234567890.awsapps.com/start/#/")
	f.Add("https://d-1234567890.awsapps.com@evil.test/start")
	f.Fuzz(func(t *testing.T, s string) {
		if !testURLs.AcceptsStartURL(s) {
			return
		}
		u, err := url.Parse(s)
		if err != nil || u.User != nil || u.RawQuery != "" {
			t.Errorf("%q is accepted", s)
		}
	})
}

// FuzzUserCode: reading what was read changes nothing.
func FuzzUserCode(f *testing.F) {
	f.Add("bcdf-ghjk")
	f.Add("BCDFGHJK")
	f.Add("bcdfghJÜ")
	f.Fuzz(func(t *testing.T, s string) {
		code, ok := parseUserCode(s)
		if again, ok2 := parseUserCode(code); ok != ok2 || again != code {
			t.Errorf("%q reads as %q, and that as %q", s, code, again)
		}
	})
}
