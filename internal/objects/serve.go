// Package objects is the part of S3 that reads: what `aws cloudtrail validate-logs` and other readers of trail files need, over the
// buckets that the server keeps itself. Callers sign as for S3 and are authorized by their policies; nothing can be written.
//
// Requests are told from others by what they are signed for, so an endpoint with or without the path /s3 will do. Buckets are in
// the path: a name in the host would need a wildcard in DNS and in the certificate.
package objects

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"sallyport/internal/bucket"
	"sallyport/internal/credential"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// Prefix is the path that an endpoint may have.
const Prefix = "/s3"

// Server answers.
type Server struct {
	Outside *endpoint.Outside
	DB      *store.DB
	Region  string
	// Dir is the folder of a bucket.
	Dir func(name string) string
}

// Serves tells whether a request is for S3.
func (s *Server) Serves(r *http.Request) bool {
	if r.URL.Path == Prefix || strings.HasPrefix(r.URL.Path, Prefix+"/") {
		return true
	}
	const scope, parameter = "/s3/aws4_request", "X-Amz-Credential"
	if strings.Contains(r.Header.Get("Authorization"), scope) {
		return true
	}
	// The queries of all others are read once, by those they are for.
	return strings.Contains(r.URL.RawQuery, parameter) && strings.HasSuffix(r.URL.Query().Get(parameter), scope)
}

// request is a request as far as its path and query tell.
type request struct {
	endpoint.Question
	bucket, key string
	answer      func(*Server, http.ResponseWriter, *http.Request, request) error
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from := endpoint.SourceOf(r)
	w.Header().Set("X-Amz-Request-Id", from.RequestID)
	w.Header().Set("Date", s.DB.Now().UTC().Format(http.TimeFormat))
	q, err := read(r)
	var caller credential.Caller
	if err == nil {
		caller, err = s.Outside.Caller(r)
	}
	if err == nil {
		err = s.Outside.Allowed(r.Context(), caller, from, q.Question)
	}
	if err == nil {
		err = q.answer(s, w, r, q)
	}
	code := ""
	if err != nil {
		code = s.refuse(w, r, from.RequestID, q, err)
	}
	s.Outside.Seen(r, from, q.Question, caller.Kind != credential.Nobody, code, err)
}

// unnamed is the operation of a request that is none.
const unnamed = "unknown"

// read finds what a request wants.
func read(r *http.Request) (request, error) {
	q := request{Question: endpoint.Question{Service: "S3", Source: "s3.amazonaws.com", Operation: unnamed}}
	path := strings.TrimPrefix(r.URL.Path, Prefix+"/")
	if path == r.URL.Path {
		path = strings.TrimPrefix(strings.TrimPrefix(path, Prefix), "/")
	}
	q.bucket, q.key, _ = strings.Cut(path, "/")
	q.Details = map[string]any{"bucketName": q.bucket}
	if q.key != "" {
		q.Details["key"] = q.key
	}
	query := r.URL.Query()
	head := r.Method == http.MethodHead
	as := func(operation, action string, answer func(*Server, http.ResponseWriter, *http.Request, request) error) (request, error) {
		q.Operation, q.Action, q.answer = operation, action, answer
		q.Resource = "arn:aws:s3:::" + q.bucket
		if q.key != "" {
			q.Resource += "/" + q.key
		}
		return q, nil
	}
	switch {
	case r.Method != http.MethodGet && !head:
		return q, fault.Newf(fault.Unimplemented, "Buckets of trail files can be read here, and not written.").WithReason("MethodNotAllowed")
	case r.ContentLength > 0:
		return q, fault.Invalidf("A request that reads has no body.")
	case q.bucket == "":
		return q, fault.Newf(fault.Unimplemented, "Buckets are not listed here: name one.").WithReason("NotImplemented")
	case q.key != "" && head:
		return as("HeadObject", "s3:GetObject", (*Server).object)
	case q.key != "":
		return as("GetObject", "s3:GetObject", (*Server).object)
	case head:
		return as("HeadBucket", "s3:ListBucket", (*Server).headBucket)
	case query.Has("location"):
		return as("GetBucketLocation", "s3:GetBucketLocation", (*Server).location)
	}
	q.Conditions = map[string]string{}
	for _, name := range []string{"prefix", "delimiter", "max-keys"} {
		if query.Has(name) {
			q.Conditions["s3:"+name] = query.Get(name)
		}
	}
	if query.Get("list-type") == "2" {
		return as("ListObjectsV2", "s3:ListBucket", (*Server).list)
	}
	return as("ListObjects", "s3:ListBucket", (*Server).list)
}

// open opens a bucket of our own.
func (s *Server) open(r *http.Request, name string) (*bucket.Directory, error) {
	missing := fault.Newf(fault.NotFound, "The specified bucket does not exist here, or is on another server: %.63s.", name).WithReason("NoSuchBucket")
	var row store.TrailBucket
	err := s.DB.View(r.Context(), func(tx *store.Tx) (err error) { row, err = tx.TrailBucket(name); return err })
	if errors.Is(err, store.ErrNotFound) || err == nil && row.Endpoint != "" {
		return nil, missing
	}
	if err != nil {
		return nil, fmt.Errorf("load bucket: %w", err)
	}
	d, err := bucket.Make(s.Dir(row.Name))
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	return d, nil
}

func (s *Server) headBucket(w http.ResponseWriter, r *http.Request, q request) error {
	d, err := s.open(r, q.bucket)
	if err != nil {
		return err
	}
	w.Header().Set("X-Amz-Bucket-Region", s.Region)
	return d.Close()
}

// object sends an object, or a range of it.
func (s *Server) object(w http.ResponseWriter, r *http.Request, q request) error {
	d, err := s.open(r, q.bucket)
	if err != nil {
		return err
	}
	defer d.Close()
	o, err := d.Get(r.Context(), q.key)
	if errors.Is(err, bucket.ErrNotFound) {
		return fault.Newf(fault.NotFound, "The specified key does not exist.").WithReason("NoSuchKey")
	}
	if err != nil {
		return fmt.Errorf("open object: %w", err)
	}
	defer o.Close()
	h := w.Header()
	for name, value := range o.Meta {
		h["x-amz-meta-"+name] = []string{value} // as it is: clients take the case of a name for a part of it
	}
	h.Set("Content-Type", "application/x-gzip")
	h.Set("Etag", etag(o.Object))
	file, ok := o.File()
	if !ok {
		return errors.New("an object of a folder is no file")
	}
	http.ServeContent(w, r, "", o.Modified.Truncate(time.Second), file)
	return nil
}
