package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

const (
	attemptCookie = "__Host-sallyport-signin"
	sessionCookie = "__Host-sallyport-session"
	knownCookie   = "__Host-sallyport-known"
)

// browser does what browsers do and no more: it keeps cookies, holds __Host- cookies to their rules, tells servers where a
// request comes from, follows redirects on the portal's own host, and fills in the forms that a page has.
type browser struct {
	w       *world
	ip      string
	cookies map[string]string
	headers http.Header // sent with every request
	visited []string    // every address, as it would show in a history or a log
}

func (w *world) browser() *browser {
	return &browser{w: w, ip: home, cookies: map[string]string{}, headers: http.Header{"User-Agent": {"Mozilla/5.0 (test)"}}}
}

// answer is what a browser got in the end.
type answer struct {
	tb     testing.TB
	by     *browser
	from   string // path and query that it was got from
	status int
	header http.Header
	text   string // the body as it came
	page   *html.Node
}

// send makes one request and follows nothing.
func (b *browser) send(method, target string, form url.Values, change ...func(*http.Request)) answer {
	b.w.tb.Helper()
	var r *http.Request
	if form != nil {
		r = httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Origin", portal)
	} else {
		r = httptest.NewRequest(method, target, nil)
	}
	r.Host, r.RemoteAddr = "localhost:8080", b.ip+":50000"
	for k, v := range b.headers {
		r.Header[k] = v
	}
	for _, name := range sorted(b.cookies) {
		r.AddCookie(&http.Cookie{Name: name, Value: b.cookies[name]})
	}
	for _, f := range change {
		f(r)
	}
	b.visited = append(b.visited, r.URL.String())
	rec := httptest.NewRecorder()
	b.w.handler.ServeHTTP(rec, r)
	res := rec.Result()
	b.keep(res)
	page, err := html.Parse(strings.NewReader(rec.Body.String()))
	if err != nil {
		b.w.tb.Fatal(err)
	}
	return answer{b.w.tb, b, target, res.StatusCode, res.Header, rec.Body.String(), page}
}

func sorted[V any](m map[string]V) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// keep keeps cookies, and refuses those that a browser would refuse.
func (b *browser) keep(res *http.Response) {
	b.w.tb.Helper()
	for _, c := range res.Cookies() {
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || c.Path != "/" || c.Domain != "" || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || len(c.Name+c.Value) > 4096 {
			b.w.tb.Errorf("a browser would not keep this cookie as it should be: %s", c)
		}
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
}

// follow follows redirects within the portal.
func (b *browser) follow(a answer) answer {
	b.w.tb.Helper()
	for range 10 {
		to := a.header.Get("Location")
		if a.status/100 != 3 || !strings.HasPrefix(to, "/") {
			return a
		}
		a = b.send(http.MethodGet, to, nil)
	}
	b.w.tb.Fatalf("redirects go round in circles at %s", a.from)
	return a
}

// open goes to an address.
func (b *browser) open(target string) answer {
	b.w.tb.Helper()
	return b.follow(b.send(http.MethodGet, target, nil))
}

// submit fills in the form of the page that has the named control, and sends it. Pairs of name and value fill it in; the
// name of a button presses it.
func (b *browser) submit(a answer, control string, values ...string) answer {
	b.w.tb.Helper()
	form := a.form(control)
	data := form.data()
	for i := 0; i < len(values); i += 2 {
		data.Set(values[i], values[i+1])
	}
	if form.method == http.MethodGet {
		return b.open(form.action + "?" + data.Encode())
	}
	return b.follow(b.send(http.MethodPost, form.action, data))
}

// signIn goes through the sign-in that a page asks for.
func (b *browser) signIn(a answer, name, password string) answer {
	b.w.tb.Helper()
	a = b.submit(a, "username", "username", name)
	return b.submit(a, "password", "password", password)
}

// form is a form of a page.
type form struct {
	method, action string
	node           *html.Node
}

// form finds the form with a control of the name.
func (a answer) form(control string) form {
	a.tb.Helper()
	for _, n := range a.find("form") {
		if slices.ContainsFunc(within(n, "input", "button"), func(c *html.Node) bool { return attr(c, "name") == control }) {
			return form{strings.ToUpper(attr(n, "method")), attr(n, "action"), n}
		}
	}
	a.tb.Fatalf("%s (%d) has no form with %q:\n%s", a.from, a.status, control, a.text)
	return form{}
}

// data is what the form holds already.
func (f form) data() url.Values {
	data := url.Values{}
	for _, n := range within(f.node, "input") {
		data.Add(attr(n, "name"), attr(n, "value"))
	}
	return data
}

func (a answer) find(tags ...string) []*html.Node { return within(a.page, tags...) }

func within(root *html.Node, tags ...string) (out []*html.Node) {
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && slices.Contains(tags, n.Data) {
			out = append(out, n)
		}
	}
	return out
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// words is what a person can read of a node.
func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// title is the page's heading.
func (a answer) title() string {
	a.tb.Helper()
	h := a.find("h1")
	if len(h) != 1 {
		a.tb.Fatalf("%s has %d headings:\n%s", a.from, len(h), a.text)
	}
	return words(h[0])
}

// expect fails the test unless this is the page.
func (a answer) expect(status int, title string) answer {
	a.tb.Helper()
	if a.status != status || a.title() != title {
		a.tb.Fatalf("%s is %d %q, want %d %q:\n%s", a.from, a.status, a.title(), status, title, a.text)
	}
	return a
}

// says fails the test unless the page has the words.
func (a answer) says(text string) answer {
	a.tb.Helper()
	if !strings.Contains(words(a.page), text) {
		a.tb.Fatalf("%s does not say %q:\n%s", a.from, text, words(a.page))
	}
	return a
}

// leads fails the test unless the answer is a redirect out of the portal, and returns where to.
func (a answer) leads(prefix string) *url.URL {
	a.tb.Helper()
	to, err := url.Parse(a.header.Get("Location"))
	if a.status/100 != 3 || err != nil || !strings.HasPrefix(to.String(), prefix) {
		a.tb.Fatalf("%s is %d to %q, want a redirect to %s", a.from, a.status, a.header.Get("Location"), prefix)
	}
	return to
}
