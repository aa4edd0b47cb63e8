package session

import (
	"net/url"
	"strings"
)

// AcceptsStartURL says whether s names the instance: its AWS-shaped start URL, its portal or its issuer, each with or
// without /start, a slash and an empty fragment (case S26, wire protocols §8.1).
func (u URLs) AcceptsStartURL(s string) bool {
	want, ok := startURL(s)
	if !ok {
		return false
	}
	for _, own := range []string{u.Start, u.Portal, u.Issuer} {
		if got, ok := startURL(own); ok && got == want {
			return true
		}
	}
	return false
}

// startURL reduces the forms in which one start URL is written to a single one. False: it is no start URL at all.
func startURL(s string) (string, bool) {
	if len(s) > 512 {
		return "", false
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", false
	}
	if u.Fragment != "" && u.Fragment != "/" {
		return "", false
	}
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	path = strings.TrimRight(strings.TrimSuffix(path, "/start"), "/")
	return u.Scheme + "://" + host + path, true
}
