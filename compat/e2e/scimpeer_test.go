package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// scimSource is a source of people of a running server, and its token.
type scimSource struct {
	tb              testing.TB
	endpoint, token string
}

var scimToken = regexp.MustCompile(`endpoint\s+(\S+)\s+token\s+(\S+)`)

// scimSource makes a source with a token that speaks a dialect.
func (s *server) scimSource(name, dialect string) scimSource {
	s.tb.Helper()
	s.command("scim", "add", name)
	m := scimToken.FindStringSubmatch(s.command("scim", "token", name, "--dialect", strings.ToLower(dialect)))
	if m == nil {
		s.tb.Fatal("no token was shown")
	}
	return scimSource{s.tb, m[1], m[2]}
}

// command runs the program as the server's administrator and returns what it prints.
func (s *server) command(args ...string) string {
	s.tb.Helper()
	out, err := sallyport(s.tb, s.dir, append(args, "--data", s.dir)...).CombinedOutput()
	if err != nil {
		s.tb.Fatalf("sallyport %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// do sends a request and returns what it is answered with; the status must be as wanted.
func (c scimSource) do(method, path, body string, want int) map[string]any {
	c.tb.Helper()
	r, err := http.NewRequestWithContext(c.tb.Context(), method, c.endpoint+path, strings.NewReader(body))
	if err != nil {
		c.tb.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/scim+json")
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		c.tb.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	raw, err := io.ReadAll(a.Body)
	if err != nil || a.StatusCode != want {
		c.tb.Fatalf("%s %s: %d %s %v, want %d", method, path, a.StatusCode, raw, err, want)
	}
	var out map[string]any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &out); err != nil {
			c.tb.Fatal(err)
		}
	}
	return out
}

// scimSeen is an answer for the peer to read.
type scimSeen struct {
	Kind string `json:"kind"`
	What string `json:"what"`
	Body any    `json:"body"`
}

// TestSCIMPeer has another implementation of SCIM read what the server answers, in both dialects.
func TestSCIMPeer(t *testing.T) {
	t.Parallel()
	where, err := exec.Command("../../scripts/scim-peers").Output()
	if err != nil {
		t.Fatalf("get peers by scripts/scim-peers: %v", err)
	}
	s := startDev(t)
	for _, dialect := range []string{"STRICT", "COMPLETE"} {
		cmd := exec.CommandContext(t.Context(), "node", "testdata/scim/answers.mjs", strings.TrimSpace(string(where)))
		in, err := json.Marshal(s.scimSource(strings.ToLower(dialect), dialect).seen(dialect))
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdin = bytes.NewReader(in)
		out, err := cmd.CombinedOutput()
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if err != nil || lines[len(lines)-1] != "read" {
			t.Fatalf("%v: %s", err, out)
		}
		for _, line := range lines[:len(lines)-1] {
			if !slices.ContainsFunc(scimKnown, func(k *regexp.Regexp) bool { return k.MatchString(line) }) {
				t.Errorf("%s: %s", dialect, line)
			}
		}
	}
}

// scimKnown are findings with a reason.
var scimKnown = []*regexp.Regexp{
	regexp.MustCompile(`^error: /(schema|exceptionRequestId|timeStamp)(/\d+)? is lost$`), // AWS's additions to errors
	regexp.MustCompile(`: /meta/(created|lastModified|location|version) is lost$`),       // scimmy makes these itself
	regexp.MustCompile(`^config: /pagination/\w+ is lost$`),                              // RFC 9865 is newer than scimmy
	regexp.MustCompile(`^config: /authenticationSchemes/0/primary is lost$`),             // RFC 7643 §8.5 has it, and the schema of §8.7.2 does not
}

// seen are answers of every kind.
func (c scimSource) seen(dialect string) (out []scimSeen) {
	see := func(kind, what string, body any) { out = append(out, scimSeen{kind, what, body}) }
	anna := c.do("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"anna-`+dialect+`","externalId":"e1","displayName":"Anna A",
		"name":{"formatted":"Anna A","familyName":"A","givenName":"Anna","middleName":"M","honorificPrefix":"Dr.","honorificSuffix":"III"},"nickName":"A","profileUrl":"https://x.test/a",
		"title":"Boss","userType":"Staff","preferredLanguage":"en","locale":"en-US","timezone":"Europe/Berlin","active":true,
		"emails":[{"value":"anna-`+dialect+`@x.test","type":"work","primary":true}],"phoneNumbers":[{"value":"+1 555 0100","type":"work"}],
		"addresses":[{"formatted":"1 Main St","streetAddress":"1 Main St","locality":"T","region":"R","postalCode":"1","country":"DE","type":"work"}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"1","costCenter":"C","organization":"O","division":"D","department":"P","manager":{"value":"m"}}}`, http.StatusCreated)
	see("User", "created user", anna)
	id, _ := anna["id"].(string)
	see("User", "user", c.do("GET", "/Users/"+id, "", http.StatusOK))
	see("User", "patched user", c.do("PATCH", "/Users/"+id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":false}]}`, http.StatusOK))
	group := c.do("POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"G-`+dialect+`","externalId":"g1","members":[{"value":"`+id+`"}]}`, http.StatusCreated)
	see("Group", "created group", group)
	gid, _ := group["id"].(string)
	see("Group", "group", c.do("GET", "/Groups/"+gid, "", http.StatusOK))
	for _, path := range []string{"/Users", "/Groups", "/Schemas", "/ResourceTypes"} {
		list := c.do("GET", path, "", http.StatusOK)
		see("ListResponse", "list of "+path, list)
		all, _ := list["Resources"].([]any)
		for _, r := range all {
			see(map[string]string{"/Users": "User", "/Groups": "Group", "/Schemas": "Schema", "/ResourceTypes": "ResourceType"}[path], "one of "+path, r)
		}
	}
	see("ServiceProviderConfig", "config", c.do("GET", "/ServiceProviderConfig", "", http.StatusOK))
	see("Error", "error", c.do("GET", "/Users/none", "", http.StatusNotFound))
	see("Error", "error", c.do("POST", "/Groups", `{"displayName":"G-`+dialect+`"}`, http.StatusConflict))
	return out
}
