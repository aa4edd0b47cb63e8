package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"sallyport/internal/awsapi"
	"sallyport/internal/sigv4"
)

// client calls one server as one principal. It also renders calls, to be sent later as they are.
type client struct {
	addr   string
	region string
	key    sigv4.Credentials
}

func (w world) client(addr string) client {
	return client{addr, w.Region, sigv4.Credentials{AccessKeyID: w.Operator.ID, SecretAccessKey: w.Operator.Secret}}
}

// request makes a call of an operation. Operations that take signatures get one.
func (c client) request(ctx context.Context, s *awsapi.Service, operation string, in any) (*http.Request, error) {
	op, err := meta(s, operation)
	if err != nil {
		return nil, err
	}
	r, err := s.NewRequest(ctx, "http://"+c.addr, op, in)
	if err != nil || op.Unsigned {
		return r, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r, sigv4.Sign(r, body, c.key, c.region, s.SigningName, time.Now())
}

// render is the call as it goes over the wire.
func (c client) render(ctx context.Context, s *awsapi.Service, operation string, in any) ([]byte, error) {
	r, err := c.request(ctx, s, operation, in)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = r.Write(&b)
	return b.Bytes(), err
}

// call makes a call and returns the answer's bytes and what they say.
func call[Out any](ctx context.Context, c client, s *awsapi.Service, operation string, in any) (Out, []byte, error) {
	var none Out
	r, err := c.request(ctx, s, operation, in)
	if err != nil {
		return none, nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return none, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return none, nil, err
	}
	op, err := meta(s, operation)
	if err != nil {
		return none, nil, err
	}
	out, err := s.ReadResult(op, resp, body)
	if err != nil {
		return none, body, fmt.Errorf("%s: %w", operation, err)
	}
	return out.(Out), body, nil
}

func meta(s *awsapi.Service, operation string) (*awsapi.OperationMeta, error) {
	for _, o := range s.Operations {
		if o.Name == operation {
			return o, nil
		}
	}
	return nil, fmt.Errorf("%s has no operation %s", s.ID, operation)
}
