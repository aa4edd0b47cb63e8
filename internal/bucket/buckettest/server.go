// Package buckettest is an S3 server with one bucket in memory, for tests. It verifies signatures.
package buckettest

import (
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"sallyport/internal/clock"
	"sallyport/internal/sigv4"
)

// Region is the one that the server is in.
const Region = "eu-test-1"

// Server is the server: its bucket is named in the path.
type Server struct {
	Bucket, Secret string
	Clock          clock.Clock

	mu   sync.Mutex
	body map[string][]byte
	meta map[string]http.Header
}

// Keys are those of all objects, in their order.
func (s *Server) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.body))
}

// ServeHTTP answers the requests that package bucket makes.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	refuse := func(status int, code string) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<?xml version=\"1.0\"?><Error><Code>"+code+"</Code><Message>no</Message></Error>")
	}
	var sig sigv4.Signature
	if err == nil {
		sig, err = sigv4.Parse(r)
	}
	if err == nil {
		err = (&sigv4.Verifier{Service: sigv4.S3, Regions: []string{Region}}).Verify(r, body, sig, s.Secret, s.Clock.Now())
	}
	key, inside := strings.CutPrefix(r.URL.Path, "/"+s.Bucket+"/")
	switch {
	case err != nil:
		refuse(http.StatusForbidden, "SignatureDoesNotMatch")
	case !inside:
		refuse(http.StatusNotFound, "NoSuchBucket")
	case r.Method == http.MethodPut:
		if s.body == nil {
			s.body, s.meta = map[string][]byte{}, map[string]http.Header{}
		}
		s.body[key], s.meta[key] = body, r.Header
	case r.Method == http.MethodDelete:
		delete(s.body, key)
		w.WriteHeader(http.StatusNoContent)
	case key == "":
		s.list(w, r)
	case s.body[key] == nil:
		refuse(http.StatusNotFound, "NoSuchKey")
	default:
		for name, v := range s.meta[key] {
			if strings.HasPrefix(name, "X-Amz-Meta-") {
				w.Header()[strings.ToLower(name)] = v
			}
		}
		_, _ = w.Write(s.body[key])
	}
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	type content struct {
		Key  string
		Size int
	}
	var out struct {
		XMLName     xml.Name `xml:"ListBucketResult"`
		IsTruncated bool
		Contents    []content
	}
	q := r.URL.Query()
	limit, _ := strconv.Atoi(q.Get("max-keys")) // 0 is none
	for _, k := range slices.Sorted(maps.Keys(s.body)) {
		switch {
		case !strings.HasPrefix(k, q.Get("prefix")) || k <= q.Get("start-after"):
		case len(out.Contents) == limit:
			out.IsTruncated = true
		default:
			out.Contents = append(out.Contents, content{k, len(s.body[k])})
		}
	}
	_ = xml.NewEncoder(w).Encode(out) // the client is gone if this fails
}
