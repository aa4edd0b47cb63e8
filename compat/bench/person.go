package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// person is somebody's browser, as far as a sign-in needs one. Its cookies are kept by hand: they are for https, or loopback, which
// Go's jar does not know.
type person struct {
	addr    string // a loopback address
	cookies map[string]string
}

// noRedirects lets a person see where they are sent.
var noRedirects = &http.Client{
	Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// signIn goes the way of a browser from the user name to the session.
func (p person) signIn(ctx context.Context, name, password string) error {
	p.cookies = map[string]string{}
	steps := []struct{ path, field, value string }{{"/signin/username", "username", name}, {"/signin/password", "password", password}, {"/signin", "", ""}}
	for _, s := range steps {
		form := url.Values{s.field: {s.value}}
		if s.field == "" {
			form = nil
		}
		status, err := p.send(ctx, s.path, form)
		if err != nil {
			return err
		}
		if status != http.StatusSeeOther && status != http.StatusFound {
			return fmt.Errorf("%s answers %d", s.path, status)
		}
	}
	for name, value := range p.cookies {
		if strings.HasSuffix(name, "-session") && value != "" {
			return nil
		}
	}
	return errors.New("the sign-in ended without a session")
}

// send posts a form or, without one, opens a page.
func (p person) send(ctx context.Context, path string, form url.Values) (status int, err error) {
	method := http.MethodPost
	if form == nil {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+p.addr+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, err
	}
	r.Host = strings.Replace(p.addr, "127.0.0.1", "localhost", 1) // the one host that cookies belong to
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, value := range p.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	res, err := noRedirects.Do(r)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	for _, c := range res.Cookies() {
		p.cookies[c.Name] = c.Value
	}
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}
