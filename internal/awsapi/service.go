package awsapi

import (
	"context"
	"fmt"
	"net/http"

	"sallyport/internal/fault"
)

// Protocol is the way a service puts operations on HTTP.
type Protocol uint8

// The protocols.
const (
	JSON  Protocol = iota // awsJson 1.1: POST /, X-Amz-Target
	REST                  // restJson 1: method and path
	Query                 // form in, XML out
)

// Service describes one API. The generated packages have one each, called Info.
type Service struct {
	ID           string // the SDKs' service id
	Protocol     Protocol
	TargetPrefix string // of X-Amz-Target
	SigningName  string // the service in a SigV4 scope
	APIVersion   string
	XMLNamespace string
	EventSource  string
	Exceptions   []Exception
	Operations   []*OperationMeta // sorted by name
}

// Exception is an error of the model.
type Exception struct {
	Name          string // shape name
	Code          string // as the wire has it; differs from Name on Query
	Status        int
	Members       []string
	Reasons       []string // what its Reason may be
	ResourceTypes []string // what its ResourceType may be
}

// OperationMeta is what the model and the authorization reference say about an operation.
type OperationMeta struct {
	Name          string
	Action        string // IAM action; "" where there is nothing to authorize
	ReadOnly      bool
	Unsigned      bool // has no SigV4 signature
	Self          bool // acts on the caller's own records alone: also taken with a portal access token in place of a signature
	Method        string
	Path          string
	Query         string   // fixed query string that is part of the route
	EventSource   string   // of its audit events
	Resources     []string // ARN templates
	In, Out       *Shape   // Out is nil where nothing is returned
	ResultWrapper string   // Query's element around the output
	Errors        []string // names of the exceptions that the model lists
	NewIn, NewOut func() any
}

// Operation is an operation bound to its implementation.
type Operation[T any] struct {
	*OperationMeta
	Service *Service
	invoke  func(ctx context.Context, call T, in any) (any, error)
}

// Op binds fn. Generated code calls it.
func Op[T, In, Out any](s *Service, meta *OperationMeta, fn func(context.Context, T, *In) (*Out, error)) Operation[T] {
	return Operation[T]{OperationMeta: meta, Service: s, invoke: func(ctx context.Context, call T, in any) (any, error) {
		typed, ok := in.(*In)
		if !ok {
			return nil, fmt.Errorf("invoke %s: input is %T", meta.Name, in)
		}
		out, err := fn(ctx, call, typed)
		if err != nil {
			return nil, err
		}
		return out, nil
	}}
}

// Decode reads the operation's input: a pointer to the generated structure. A request that breaks the model gives the input as
// far as it could be read together with a fault of kind Invalid, so that it can be recorded; bytes that are not the protocol's
// give nil and Malformed.
func (o Operation[T]) Decode(r *http.Request, body []byte) (any, error) {
	return o.Service.DecodeRequest(o.OperationMeta, r, body)
}

// Invoke runs the operation on an input that Decode returned.
func (o Operation[T]) Invoke(ctx context.Context, call T, in any) (any, error) {
	return o.invoke(ctx, call, in)
}

// NotImplemented is the honest answer of an operation that is modelled and not there.
func NotImplemented(o *OperationMeta) error {
	return fault.Newf(fault.Unimplemented, "Sallyport does not implement %s yet.", o.Name)
}
