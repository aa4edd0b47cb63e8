package bucket

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/fault"
	"sallyport/internal/sigv4"
)

// S3Config says where a bucket elsewhere is, and who we are there.
type S3Config struct {
	Endpoint  string // https://host, perhaps with a port
	Region    string
	Name      string
	PathStyle bool
	AccessKey string
	Secret    string
	Token     string            // of temporary credentials
	Transport http.RoundTripper // nil: the usual one
	Clock     clock.Clock       // nil: the system's
}

// S3 is a bucket of an S3 server. It does four plain requests; what needs more than one try is tried again by who asks.
type S3 struct {
	S3Config
	base *url.URL
	http *http.Client
}

// s3Patience bounds a request: 50 MB on a slow line.
const s3Patience = 2 * time.Minute

// NewS3 makes a bucket of an S3 server. It asks nothing yet.
func NewS3(c S3Config) (*S3, error) {
	base, err := url.Parse(c.Endpoint)
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" || base.RawQuery != "" || base.User != nil {
		return nil, fault.Invalidf("%.200q is not the URL of an S3 server: expected https://host.", c.Endpoint)
	}
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	if c.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.DisableCompression = true // the objects are compressed, and their bytes are what counts
		c.Transport = t
	}
	return &S3{c, base, &http.Client{
		Transport: c.Transport, Timeout: s3Patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Put writes an object.
func (s *S3) Put(ctx context.Context, key string, body []byte, meta map[string]string) error {
	resp, err := s.do(ctx, http.MethodPut, key, nil, body, meta)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// Get opens an object.
func (s *S3) Get(ctx context.Context, key string) (*Content, error) {
	resp, err := s.do(ctx, http.MethodGet, key, nil, nil, nil)
	if err != nil {
		return nil, err
	}
	c := &Content{ReadCloser: resp.Body, Object: Object{Key: key, Size: resp.ContentLength}, Meta: map[string]string{}}
	c.Modified, _ = http.ParseTime(resp.Header.Get("Last-Modified")) // zero where the server does not tell
	for name, values := range resp.Header {
		if rest, ok := strings.CutPrefix(strings.ToLower(name), "x-amz-meta-"); ok {
			c.Meta[rest] = values[0]
		}
	}
	return c, nil
}

// Delete removes an object.
func (s *S3) Delete(ctx context.Context, key string) error {
	resp, err := s.do(ctx, http.MethodDelete, key, nil, nil, nil)
	if err != nil {
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	}
	return resp.Body.Close()
}

// maxList bounds an answer to List: a thousand keys.
const maxList = 8 << 20

// List asks for one page after the other.
func (s *S3) List(ctx context.Context, prefix, after string, limit int) (list []Object, more bool, err error) {
	query := url.Values{"list-type": {"2"}, "prefix": {prefix}, "max-keys": {strconv.Itoa(min(limit, 1000))}}
	if after != "" {
		query.Set("start-after", after)
	}
	resp, err := s.do(ctx, http.MethodGet, "", query, nil, nil)
	if err != nil {
		return nil, false, err
	}
	var page struct {
		IsTruncated bool
		Contents    []struct {
			Key          string
			Size         int64
			LastModified time.Time
		}
	}
	err = xml.NewDecoder(io.LimitReader(resp.Body, maxList)).Decode(&page)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, false, fmt.Errorf("read list of bucket: %w", err)
	}
	for _, o := range page.Contents {
		list = append(list, Object{o.Key, o.Size, o.LastModified})
	}
	return list, page.IsTruncated, nil
}

// S3Error is what an S3 server says of a request that it does not do.
type S3Error struct {
	Status        int
	Code, Message string
}

func (e *S3Error) Error() string {
	return fmt.Sprintf("the S3 server answers %d %.100s: %.300s", e.Status, e.Code, e.Message)
}

func (s *S3) do(ctx context.Context, method, key string, query url.Values, body []byte, meta map[string]string) (*http.Response, error) {
	u := *s.base
	place := strings.TrimSuffix(u.Path, "/") + "/"
	if s.PathStyle {
		place += s.Name + "/"
	} else {
		u.Host = s.Name + "." + u.Host
	}
	u.Path, u.RawPath = place+key, place+strings.NewReplacer("%2F", "/", "+", "%20").Replace(url.QueryEscape(key))
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	for name, value := range meta {
		req.Header.Set("X-Amz-Meta-"+name, value)
	}
	if method == http.MethodPut {
		req.Header.Set("Content-Type", "application/x-gzip")
	}
	if err := sigv4.Sign(req, body, sigv4.Credentials{AccessKeyID: s.AccessKey, SecretAccessKey: s.Secret, SessionToken: s.Token}, s.Region, sigv4.S3, s.Clock.Now()); err != nil {
		return nil, fmt.Errorf("sign request: %w", err)
	}
	for name, value := range meta { // the signature is over lower-case names; some servers keep the case that they are sent
		req.Header.Del("X-Amz-Meta-" + name)
		req.Header["x-amz-meta-"+name] = []string{value}
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the S3 server: %w", err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	return nil, refused(resp)
}

// maxError bounds what is read of an answer that says no.
const maxError = 64 << 10

func refused(resp *http.Response) error {
	defer resp.Body.Close()
	e := &S3Error{Status: resp.StatusCode, Code: http.StatusText(resp.StatusCode)}
	var said struct{ Code, Message string }
	if xml.NewDecoder(io.LimitReader(resp.Body, maxError)).Decode(&said) == nil && said.Code != "" {
		e.Code, e.Message = said.Code, said.Message
	}
	if e.Code == "NoSuchKey" {
		return errors.Join(ErrNotFound, e)
	}
	return e
}
