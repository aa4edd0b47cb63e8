package session

import "testing"

// TestMatchesRedirect is case S27: a loopback literal with any port, everything else exactly.
func TestMatchesRedirect(t *testing.T) {
	t.Parallel()
	registered := []string{"http://127.0.0.1/oauth/callback", "http://[::1]:1234/cb", "http://127.0.0.1:1000"}
	for _, tc := range []struct {
		uri  string
		want bool
	}{
		{"http://127.0.0.1:51763/oauth/callback", true},
		{"http://127.0.0.1/oauth/callback", true},
		{"http://[::1]:51763/cb", true},
		{"http://127.0.0.1:2000", true},

		{"http://[::1]:51763/oauth/callback", false},
		{"http://127.0.0.1:51763/cb", false},
		{"http://localhost:51763/oauth/callback", false},
		{"http://127.0.0.1.evil.test/oauth/callback", false},
		{"http://127.0.0.1:1@evil.test/oauth/callback", false},
		{"http://user@127.0.0.1:51763/oauth/callback", false},
		{"http://127.0.0.1:51763/oauth/callback#x", false},
		{"http://127.0.0.1:51763/oauth/callback#", false},
		{"http://127.0.0.1:51763/oauth/callback?x=1", false},
		{"http://127.0.0.1:51763/oauth/callback?", false},
		{"http://127.0.0.1:51763/oauth/callback/", false},
		{"http://127.0.0.1:51763/oauth/../oauth/callback", false},
		{"http://127.0.0.1:51763/oauth%2Fcallback", false},
		{"https://127.0.0.1:51763/oauth/callback", false},
		{"http://127.0.0.2:51763/oauth/callback", false},
		{"http://127.1:51763/oauth/callback", false},
		{"http://2130706433/oauth/callback", false},
		{"http://127.0.0.1:0/oauth/callback", false},
		{"http://127.0.0.1:65536/oauth/callback", false},
		{"http://127.0.0.1:/oauth/callback", false},
		{"http://[::ffff:127.0.0.1]/oauth/callback", false},
		{"http://[::1%25lo]:1234/cb", false},
		{"http:127.0.0.1/oauth/callback", false},
		{"//127.0.0.1/oauth/callback", false},
		{"custom://127.0.0.1/oauth/callback", false},
		{"http://127.0.0.1\\@evil.test/oauth/callback", false},
		{"http://127.0.0.1:51763/oauth/callback\r\nX: y", false},
		{"http://127.0.0.1:51763/oauth/call back", false},
		{"http://127.0.0.1:51763/oauth/callback\xff", false},
		{"http://127.0.0.1:51763/oauth/cällback", false},
		{"", false},
	} {
		if got := matchesRedirect(registered, tc.uri); got != tc.want {
			t.Errorf("matchesRedirect(%q) = %v", tc.uri, got)
		}
	}
}
