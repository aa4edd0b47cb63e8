package scim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestGolden sends what real clients send, as testdata/golden has it: a file for each client, whose comment says where the shapes
// are from. A part of a file is a request and, on lines that begin with >, what is to come of it:
//
//	> 200                        the status, in both dialects
//	> strict 400 words           in one of them, and words of the error's detail
//	> only complete              the request is sent in one dialect alone
//	> at name/givenName = "A"    what is at a place of the answer, as JSON, or absent
//	> ids anna bea               the resources of a list
//	> save anna                  what ${anna} is from now on: the id of the answer
//
// A part whose name begins with "state" is the whole directory at that time; its lines can be of one dialect too.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/golden/*.txtar")
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		client := strings.TrimSuffix(filepath.Base(f), ".txtar")
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(client, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, w *world) { replay(t, w, txtar.Parse(text)) })
		})
	}
}

// golden is the replay of one client in one dialect.
type golden struct {
	*world
	t       *testing.T
	dialect string
	ids     map[string]string // by the names that the file gives them
}

func replay(t *testing.T, w *world, a *txtar.Archive) {
	if len(a.Comment) == 0 {
		t.Fatal("the file does not say where its requests are from")
	}
	g := &golden{world: w, t: t, dialect: strings.ToLower(filepath.Base(t.Name())), ids: map[string]string{}}
	for _, part := range a.Files {
		text := g.expand(string(part.Data))
		if strings.HasPrefix(part.Name, "state") {
			g.state(part.Name, text)
			continue
		}
		s := g.parse(part.Name, text)
		if s.only != "" && s.only != g.dialect {
			continue
		}
		g.check(s, g.send(s))
	}
}

var variable = regexp.MustCompile(`\$\{(\w+)\}`)

// expand puts ids in the place of their names. One that was never saved is of a step that was not taken in this dialect, and a
// request with it would prove nothing.
func (g *golden) expand(text string) string {
	return variable.ReplaceAllStringFunc(text, func(v string) string {
		if id, ok := g.ids[v[2:len(v)-1]]; ok {
			return id
		}
		return v
	})
}

// step is a request and what it should come to.
type step struct {
	name, method, path, body string
	headers                  http.Header
	status                   int
	words, save, only        string
	at                       [][2]string
	list                     []string
	listed                   bool
}

func (g *golden) parse(name, text string) step {
	s := step{name: name, headers: http.Header{}}
	var body []string
	inHead := true
	for n, line := range strings.Split(strings.TrimSpace(text), "\n") {
		switch {
		case strings.HasPrefix(line, "> "):
			g.expectation(&s, strings.TrimSpace(line[2:]))
		case n == 0:
			s.method, s.path, _ = strings.Cut(line, " ")
		case inHead && strings.TrimSpace(line) == "":
			inHead = false
		case inHead:
			k, v, ok := strings.Cut(line, ":")
			if !ok {
				g.t.Fatalf("%s: %q is no header", name, line)
			}
			s.headers.Set(k, strings.TrimSpace(v))
		default:
			body = append(body, line)
		}
	}
	s.body = strings.TrimSpace(strings.Join(body, "\n"))
	if s.status == 0 && (s.only == "" || s.only == g.dialect) {
		g.t.Fatalf("%s: no status is expected", name)
	}
	if left := variable.FindString(text); left != "" && (s.only == "" || s.only == g.dialect) {
		g.t.Fatalf("%s: %s is not known", name, left)
	}
	return s
}

var statusLine = regexp.MustCompile(`^([1-5]\d\d)(?: (.*))?$`)

func (g *golden) expectation(s *step, line string) {
	for _, d := range []string{"strict", "complete"} {
		if rest, ok := strings.CutPrefix(line, d+" "); ok {
			if d != g.dialect {
				return
			}
			line = rest
		}
	}
	word, rest, _ := strings.Cut(line, " ")
	switch m := statusLine.FindStringSubmatch(line); {
	case m != nil:
		s.status, _ = strconv.Atoi(m[1]) // it is three digits
		s.words = m[2]
	case word == "only":
		s.only = rest
	case word == "save":
		s.save = rest
	case word == "ids":
		s.list, s.listed = strings.Fields(rest), true
	case word == "at":
		place, value, ok := strings.Cut(rest, " = ")
		if !ok {
			g.t.Fatalf("%s: %q", s.name, line)
		}
		s.at = append(s.at, [2]string{place, value})
	default:
		g.t.Fatalf("%s: %q is not understood", s.name, line)
	}
}

// send sends the request as it is written: only the token is added, so that a client without a content type has none.
func (g *golden) send(s step) reply {
	r := httptest.NewRequest(s.method, "https://id.example.test/"+tenant+"/scim/v2"+s.path, strings.NewReader(s.body))
	r.Header = s.headers.Clone()
	r.Header.Set("Authorization", "Bearer "+g.token)
	rec := httptest.NewRecorder()
	g.ServeHTTP(rec, r)
	a := reply{t: g.t, asked: s.name, status: rec.Code, header: rec.Result().Header}
	if rec.Body.Len() > 0 {
		if err := json.Unmarshal(rec.Body.Bytes(), &a.body); err != nil {
			g.t.Fatalf("%s: %v: %s", s.name, err, rec.Body)
		}
	}
	return a
}

func (g *golden) check(s step, a reply) {
	if a.status != s.status {
		g.t.Fatalf("%s: %d %v, want %d %s", s.name, a.status, a.body, s.status, s.words)
	}
	if s.words != "" {
		a.refused(s.status, s.words)
	}
	if s.save != "" {
		if g.ids[s.save] = a.id(); a.id() == "" {
			g.t.Fatalf("%s: the answer has no id: %v", s.name, a.body)
		}
	}
	for _, e := range s.at {
		if got := place(a.body, e[0]); got != e[1] {
			g.t.Errorf("%s: %s is %s, want %s", s.name, e[0], got, e[1])
		}
	}
	if s.listed {
		var want []string
		for _, name := range s.list {
			want = append(want, g.ids[name])
		}
		got := a.ids()
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			g.t.Errorf("%s: %s", s.name, diff)
		}
	}
}

// place is what is at a place of an answer, as JSON.
func place(v any, path string) string {
	for _, k := range strings.Split(path, "/") {
		switch in := v.(type) {
		case map[string]any:
			e, ok := in[k]
			if !ok {
				return "absent"
			}
			v = e
		case []any:
			n, err := strconv.Atoi(k)
			if err != nil || n >= len(in) {
				return "absent"
			}
			v = in[n]
		default:
			return "absent"
		}
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}
