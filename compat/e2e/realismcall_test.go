package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	storedoc "github.com/aws/aws-sdk-go-v2/service/identitystore/document"
	identitytypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/aws/smithy-go"
)

// realm is a server whose behaviour is looked at, by the AWS SDK for Go, which tries everything once.
type realm struct {
	ctx             context.Context
	admin           *ssoadmin.Client
	people          *identitystore.Client
	config          aws.Config
	instance, store string
	account         string
	made            int // of names, which are all different
}

// with are the members of a request, or of a structure in one.
type with map[string]any

// answer is what a call of a realm has got. What the server sent counts, not whether the SDK for Go can read it: others may.
type answer struct {
	op     string
	status int // of HTTP
	out    map[string]any
	err    error
}

// heard is what came back over the wire in answer to one call.
type heard struct {
	status int
	body   []byte
}

type heardKey struct{}

// Do is a client of HTTP that keeps what it hears in the heard of the request's context.
func (w *realm) Do(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if into, listens := r.Context().Value(heardKey{}).(*heard); listens {
		*into = heard{resp.StatusCode, body}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, err
}

// newRealm looks up which instance the server has.
func newRealm(ctx context.Context, config aws.Config, account string) (*realm, error) {
	w := &realm{ctx: ctx, account: account}
	w.dial(config)
	out, err := w.admin.ListInstances(ctx, &ssoadmin.ListInstancesInput{})
	if err != nil {
		return nil, err
	}
	if len(out.Instances) != 1 {
		return nil, fmt.Errorf("%d instances", len(out.Instances))
	}
	w.instance, w.store = *out.Instances[0].InstanceArn, *out.Instances[0].IdentityStoreId
	return w, nil
}

// dial sets up the realm's clients.
func (w *realm) dial(config aws.Config) {
	config.Retryer, config.HTTPClient = func() aws.Retryer { return aws.NopRetryer{} }, w
	w.config, w.admin, w.people = config, ssoadmin.NewFromConfig(config), identitystore.NewFromConfig(config)
}

// call asks for an operation of sso-admin or identitystore. The instance and the identity store are the realm's, unless given.
func (w *realm) call(op string, in with) answer {
	method := reflect.ValueOf(w.admin).MethodByName(op)
	if !method.IsValid() {
		method = reflect.ValueOf(w.people).MethodByName(op)
	}
	input := reflect.New(method.Type().In(1).Elem())
	for member, value := range map[string]string{"InstanceArn": w.instance, "IdentityStoreId": w.store} {
		if field := input.Elem().FieldByName(member); field.IsValid() {
			fill(field, value)
		}
	}
	for member, value := range in {
		fill(input.Elem().FieldByName(member), value)
	}
	var got heard
	results := method.Call([]reflect.Value{reflect.ValueOf(context.WithValue(w.ctx, heardKey{}, &got)), input})
	a := answer{op: op, status: got.status}
	if got.status == http.StatusOK {
		a.err = json.Unmarshal(got.body, &a.out)
	} else {
		a.err, _ = results[1].Interface().(error)
	}
	return a
}

// fill sets a member of a request of the SDK to a plain value. A nil leaves it out.
func fill(field reflect.Value, value any) {
	given := reflect.ValueOf(value)
	switch {
	case value == nil:
		field.SetZero()
	case field.Type() == reflect.TypeFor[storedoc.Interface]():
		field.Set(reflect.ValueOf(storedoc.NewLazyDocument(value)))
	case given.Type().AssignableTo(field.Type()):
		field.Set(given)
	case field.Kind() == reflect.Pointer:
		field.Set(reflect.New(field.Type().Elem()))
		fill(field.Elem(), value)
	case field.Kind() == reflect.Struct:
		for member, inner := range value.(with) {
			fill(field.FieldByName(member), inner)
		}
	case field.Kind() == reflect.Slice:
		field.Set(reflect.MakeSlice(field.Type(), given.Len(), given.Len()))
		for i := range given.Len() {
			fill(field.Index(i), given.Index(i).Interface())
		}
	case field.Kind() == reflect.Map:
		field.Set(reflect.MakeMap(field.Type()))
		for key, inner := range value.(with) {
			element := reflect.New(field.Type().Elem()).Elem()
			fill(element, inner)
			field.SetMapIndex(reflect.ValueOf(key), element)
		}
	default:
		field.Set(given.Convert(field.Type()))
	}
}

// unreached ends a behaviour of which a step failed that is not what it is about.
type unreached string

// must is call, of a step that has to succeed for the behaviour to be seen.
func (w *realm) must(op string, in with) answer {
	a := w.call(op, in)
	if a.err != nil {
		panic(unreached(op + ": " + a.code()))
	}
	return a
}

// observe lets a behaviour run, and says what was seen.
func (w *realm) observe(run func(*realm) string) (seen string) {
	defer func() {
		switch reason := recover().(type) {
		case nil:
		case unreached:
			seen = string(reason)
		default:
			panic(reason)
		}
	}()
	return run(w)
}

// at is the value at a path of the answer, such as "PermissionSet.Name", as a text; "" where there is none.
func (a answer) at(path string) string {
	switch value := a.value(path).(type) {
	case nil:
		return ""
	case string:
		return value
	default:
		return fmt.Sprint(value)
	}
}

// list is the list at a path of the answer.
func (a answer) list(path string) []any {
	list, _ := a.value(path).([]any)
	return list
}

func (a answer) value(path string) (value any) {
	value = any(a.out)
	for member := range strings.SplitSeq(path, ".") {
		inside, _ := value.(map[string]any)
		value = inside[member]
	}
	return value
}

// code is the kind of error that was answered, or "accepted".
func (a answer) code() string {
	var refused smithy.APIError
	switch {
	case a.err == nil:
		return "accepted"
	case errors.As(a.err, &refused):
		return refused.ErrorCode()
	case a.status != 0:
		return fmt.Sprintf("HTTP %d", a.status)
	default:
		return a.err.Error()
	}
}

// refused is for what AWS documents to be refused without saying how.
func (a answer) refused() string {
	var refused smithy.APIError
	if a.err != nil && errors.As(a.err, &refused) && refused.ErrorFault() != smithy.FaultServer {
		return "refused"
	}
	return a.code()
}

var ids = regexp.MustCompile(`([0-9a-f]{10}-)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|d-[0-9a-z]{10}|\b[0-9]{12}\b`)

// statuses are the operations that say how a request stands, with the member that names it and the one that answers.
var statuses = map[string][3]string{
	"CreateAccountAssignment": {"DescribeAccountAssignmentCreationStatus", "AccountAssignmentCreationRequestId", "AccountAssignmentCreationStatus"},
	"DeleteAccountAssignment": {"DescribeAccountAssignmentDeletionStatus", "AccountAssignmentDeletionRequestId", "AccountAssignmentDeletionStatus"},
	"ProvisionPermissionSet":  {"DescribePermissionSetProvisioningStatus", "ProvisionPermissionSetRequestId", "PermissionSetProvisioningStatus"},
}

// ends is how a request ended that was accepted: its status, and why it failed; or how it was refused.
func (w *realm) ends(a answer) string {
	if a.err != nil {
		return a.code()
	}
	how := statuses[a.op]
	if a.at(how[2]+".Status") == "SUCCEEDED" {
		return "SUCCEEDED"
	}
	id := a.at(how[2] + ".RequestId")
	for until := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		now := w.must(how[0], with{how[1]: id})
		status := now.at(how[2] + ".Status")
		switch {
		case status == "IN_PROGRESS" && time.Now().Before(until):
		case status == "FAILED":
			return "FAILED: " + ids.ReplaceAllString(now.at(how[2]+".FailureReason"), "ID")
		default:
			return status
		}
	}
}

// because is code, with the reason that a conflict has.
func (a answer) because() string {
	var conflict *identitytypes.ConflictException
	if errors.As(a.err, &conflict) && conflict.Reason != "" {
		return a.code() + ", " + string(conflict.Reason)
	}
	return a.code()
}

// of is code, with the kind of resource that was not found.
func (a answer) of() string {
	var missing *identitytypes.ResourceNotFoundException
	if errors.As(a.err, &missing) && missing.ResourceType != "" {
		return a.code() + ", " + string(missing.ResourceType)
	}
	return a.code()
}

// found is "found", or how a search was refused.
func (w *realm) found(op string, in with) string {
	if a := w.call(op, in); a.err != nil {
		return a.of()
	}
	return "found"
}
