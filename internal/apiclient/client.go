// Package apiclient calls a server's signed APIs, as any SDK would: Sallyport's, or AWS's own.
package apiclient

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"golang.org/x/time/rate"

	"sallyport/internal/awsapi"
	"sallyport/internal/clock"
	"sallyport/internal/fault"
	"sallyport/internal/sigv4"
)

const (
	callTime = 30 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 8 << 20
	// tries is how often a request is sent that the server has no time for.
	tries = 8
	// maxWait bounds how long a server may have a client wait, in seconds.
	maxWait = 30
)

// Client is a way to one deployment, as one principal. It may be used by many at once.
type Client struct {
	Region string
	// Endpoint is the base URL of a service.
	Endpoint func(*awsapi.Service) string
	// Keys are the credentials to sign with now.
	Keys func(context.Context) (sigv4.Credentials, error)
	// Pace bounds the requests per second; nil: no bound.
	Pace *rate.Limiter
	// Journal has answers of an earlier run, and keeps those of this one; nil: none.
	Journal *Journal

	http *http.Client
}

// At is a client whose services all have one base URL, and whose keys stay.
func At(endpoint, region string, keys sigv4.Credentials) *Client {
	return New(region, func(*awsapi.Service) string { return endpoint }, func(context.Context) (sigv4.Credentials, error) { return keys, nil })
}

// New is a client of a region.
func New(region string, endpoint func(*awsapi.Service) string, keys func(context.Context) (sigv4.Credentials, error)) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 32
	return &Client{Region: region, Endpoint: endpoint, Keys: keys, http: &http.Client{
		Timeout: callTime, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Call sends a signed request, again if the server has no time for it. A refusal is a fault whose message is the server's, and
// whose cause is an [awsapi.ResponseError]. raw is the answer as it came.
func (c *Client) Call(ctx context.Context, s *awsapi.Service, o *awsapi.OperationMeta, in any) (out any, raw []byte, err error) {
	endpoint := c.Endpoint(s)
	r, err := s.NewRequest(ctx, endpoint, o, in)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, nil, err
	}
	if c.Journal == nil {
		return c.patiently(ctx, s, o, r, body)
	}
	key := requestKey(s, o, body)
	if answer, ok := c.Journal.get(key); ok {
		return read(s, o, &http.Response{StatusCode: http.StatusOK}, answer, endpoint)
	}
	if out, raw, err = c.patiently(ctx, s, o, r, body); err == nil {
		err = c.Journal.put(key, raw)
	}
	return out, raw, err
}

// patiently sends a request again while the server has no time for it.
func (c *Client) patiently(ctx context.Context, s *awsapi.Service, o *awsapi.OperationMeta, r *http.Request, body []byte) (out any, raw []byte, err error) {
	wait := 100 * time.Millisecond
	for n := 1; ; n++ {
		if c.Pace != nil {
			if err := c.Pace.Wait(ctx); err != nil {
				return nil, nil, err
			}
		}
		out, raw, err = c.once(ctx, s, o, r.Clone(ctx), body)
		if !busy(err) || n == tries {
			return out, raw, err
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(max(wait, fault.As(err).RetryAfter)):
		}
		wait = min(2*wait, 5*time.Second)
	}
}

// busy says whether the server asks to be called again later.
func busy(err error) bool {
	var refused *awsapi.ResponseError
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Code {
	case "ThrottlingException", "TooManyRequestsException", "ServiceUnavailable", "SlowDownException":
		return true
	}
	return refused.Status == http.StatusServiceUnavailable || refused.Status == http.StatusTooManyRequests
}

func (c *Client) once(ctx context.Context, s *awsapi.Service, o *awsapi.OperationMeta, r *http.Request, body []byte) (any, []byte, error) {
	endpoint := r.URL.Scheme + "://" + r.URL.Host
	keys, err := c.Keys(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := sigv4.Sign(r, body, keys, c.Region, s.SigningName, clock.System{}.Now()); err != nil {
		return nil, nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	res, err := c.http.Do(r)
	if err != nil {
		return nil, nil, unreachable(ctx, endpoint, err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, nil, unreachable(ctx, endpoint, err)
	}
	return read(s, o, res, answer, endpoint)
}

func read(s *awsapi.Service, o *awsapi.OperationMeta, res *http.Response, answer []byte, endpoint string) (any, []byte, error) {
	out, err := s.ReadResult(o, res, answer)
	var refused *awsapi.ResponseError
	switch {
	case errors.As(err, &refused) && refused.Message+refused.Code != "":
		seconds, _ := strconv.Atoi(res.Header.Get("Retry-After")) // absent, or a date that nobody sends: at once
		return nil, nil, &fault.Error{
			Kind: fault.Denied, Message: cmp.Or(refused.Message, "The server refused: "+refused.Code+"."), Err: refused,
			RetryAfter: time.Duration(min(max(seconds, 0), maxWait)) * time.Second,
		}
	case err != nil || res.StatusCode != http.StatusOK:
		return nil, nil, fault.Invalidf("%s does not answer as a Sallyport server: %s to %s.", endpoint, res.Status, o.Name)
	}
	return out, answer, nil
}

func unreachable(ctx context.Context, endpoint string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return fault.Invalidf("The server %s cannot be reached: %v.", endpoint, err)
}

// IsCode says whether a call was refused with the exception.
func IsCode(err error, code string) bool {
	var refused *awsapi.ResponseError
	return errors.As(err, &refused) && refused.Code == code
}
