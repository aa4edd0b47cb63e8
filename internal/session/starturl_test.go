package session

import "testing"

// TestAcceptsStartURL is case S26 by the server's answers.
func TestAcceptsStartURL(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		url  string
		want bool
	}{
		{"https://d-1234567890.awsapps.com/start", true},
		{"https://d-1234567890.awsapps.com/start/", true},
		{"https://d-1234567890.awsapps.com/start#", true},
		{"https://d-1234567890.awsapps.com/start/#", true},
		{"https://d-1234567890.awsapps.com/start/#/", true},
		{"https://D-1234567890.AWSAPPS.com/start", true},
		{"https://d-1234567890.awsapps.com:443/start", true},
		{"https://d-1234567890.awsapps.com", true},
		{"http://localhost:8080", true},
		{"http://localhost:8080/", true},
		{"http://localhost:8080/start", true},
		{"http://localhost:8080/start/#", true},
		{"https://identitycenter.amazonaws.com/ssoins-1234567890abcdef", true},
		{"https://identitycenter.amazonaws.com/ssoins-1234567890abcdef/", true},

		{"", false},
		{"start", false},
		{"https://d-0987654321.awsapps.com/start", false},
		{"https://d-1234567890.awsapps.com.evil.test/start", false},
		{"https://evil@d-1234567890.awsapps.com/start", false},
		{"https://d-1234567890.awsapps.com/start?x=1", false},
		{"https://d-1234567890.awsapps.com/start#/console", false},
		{"https://d-1234567890.awsapps.com/other", false},
		{"http://d-1234567890.awsapps.com/start", false},
		{"https://localhost:8080/start", false},
		{"http://localhost:8081/start", false},
		{"https://identitycenter.amazonaws.com/ssoins-fedcba0987654321", false},
		{"javascript://localhost:8080/start", false},
		{"https://[::1/start", false},
	} {
		if got := testURLs.AcceptsStartURL(tc.url); got != tc.want {
			t.Errorf("AcceptsStartURL(%q) = %v", tc.url, got)
		}
	}
	if (URLs{}).AcceptsStartURL("") {
		t.Error("an instance without URLs accepts nothing")
	}
}
