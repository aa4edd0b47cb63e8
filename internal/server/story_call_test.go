package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sallyport/internal/access"
	"sallyport/internal/awsapi"
	cloudtrailapi "sallyport/internal/awsapi/cloudtrail"
	identitystoreapi "sallyport/internal/awsapi/identitystore"
	sallyportapi "sallyport/internal/awsapi/sallyport"
	portalapi "sallyport/internal/awsapi/sso"
	ssoadminapi "sallyport/internal/awsapi/ssoadmin"
	ssooidcapi "sallyport/internal/awsapi/ssooidc"
	stsapi "sallyport/internal/awsapi/sts"
	"sallyport/internal/clock"
	"sallyport/internal/sigv4"
	"sallyport/internal/store"
)

type signer = sigv4.Credentials

// caller is how somebody proves who they are: by signing, or by a bearer token; the zero value proves nothing.
type caller struct {
	keys   signer
	bearer string
}

// client sends requests to a server. It is safe for concurrent use.
type client struct {
	url      string
	http     *http.Client
	clock    clock.Clock
	instance store.Instance
}

// services by the names that the AWS CLI has for them.
var services = map[string]*awsapi.Service{
	"sso-admin": &ssoadminapi.Info, "identitystore": &identitystoreapi.Info, "sso": &portalapi.Info, "sso-oidc": &ssooidcapi.Info, "sts": &stsapi.Info,
	"sallyport": &sallyportapi.Info, "cloudtrail": &cloudtrailapi.Info,
}

// binder is what has variables: a script, or its environment before it begins.
type binder interface{ Setenv(name, value string) }

func (s *story) bind(to binder, name, value string) {
	s.names[name] = value
	to.Setenv(name, value)
}

func (s *story) commands() map[string]func(*testscript.TestScript, bool, []string) {
	cmds := map[string]func(*testscript.TestScript, bool, []string){}
	add := func(name string, least, most int, run func(*testscript.TestScript, []string) error) {
		cmds[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			if len(args) < least || len(args) > most {
				ts.Fatalf("%s takes %d to %d words", name, least, most)
			}
			err := run(ts, args)
			var refused *awsapi.ResponseError
			switch {
			case neg && err == nil:
				ts.Fatalf("%s succeeded", name)
			case neg && errors.As(err, &refused):
				fmt.Fprintf(ts.Stderr(), "%s %d: %s\n", refused.Code, refused.Status, s.named(refused.Message))
				if s.retry != "" {
					fmt.Fprintf(ts.Stderr(), "Retry-After: %s\n", s.retry)
				}
			default:
				ts.Check(err)
			}
		}
	}
	add("call", 3, 4, s.callCommand)
	add("times", 4, 5, func(ts *testscript.TestScript, args []string) error {
		n, err := strconv.Atoi(args[0])
		for i := 0; err == nil && i < n; i++ {
			if err = s.callCommand(ts, args[1:]); err != nil {
				ts.Logf("call %d of %d", i+1, n)
			}
		}
		return err
	})
	add("bind", 2, 2, s.bindCommand)
	add("transmitter", 1, 1, s.transmitterCommand)
	add("signal", 3, 3, s.signalCommand)
	add("show", 0, 0, func(ts *testscript.TestScript, _ []string) error { return s.print(ts.Stdout(), s.last) })
	add("settle", 0, 0, func(*testscript.TestScript, []string) error {
		s.clock.Advance(time.Millisecond)
		if err := access.NewGoneSweeper(s.db, "story").Drain(context.Background()); err != nil {
			return err
		}
		if err := s.worker.Drain(context.Background()); err != nil {
			return err
		}
		return s.revoker.Drain(context.Background())
	})
	add("advance", 1, 1, func(_ *testscript.TestScript, args []string) error {
		d, err := time.ParseDuration(args[0])
		s.clock.Advance(d)
		return err
	})
	s.peopleCommands(add)
	add("event", 1, 1, s.eventCommand)
	add("tally", 0, 0, s.tallyCommand)
	add("moment", 1, 2, s.momentCommand)
	add("events", 0, 0, s.eventsCommand)
	return cmds
}

func (s *story) callCommand(ts *testscript.TestScript, args []string) error {
	input := "{}"
	if len(args) == 4 {
		input = args[3]
	}
	if name, ok := strings.CutPrefix(input, "@"); ok {
		input = ts.ReadFile(name)
	}
	input = os.Expand(input, func(name string) string {
		v, ok := s.names[name]
		if !ok {
			ts.Fatalf("nothing is bound to $%s", name)
		}
		return v
	})
	who, ok := s.callers[args[0]]
	if !ok {
		ts.Fatalf("nobody is called %s", args[0])
	}
	var err error
	if s.last, err = s.call(context.Background(), who, args[1], args[2], input); err != nil {
		return err
	}
	return s.print(ts.Stdout(), s.last)
}

// call sends one request, remembers it, and reads the answer as JSON. An error of the API is a *awsapi.ResponseError.
func (s *story) call(ctx context.Context, who caller, service, operation, input string) (any, error) {
	s.clock.Advance(time.Millisecond) // PostgreSQL's log is in the order of time
	out, res, err := s.exchange(ctx, who, service, operation, input)
	if res == nil {
		return nil, err
	}
	refused := &awsapi.ResponseError{}
	_ = errors.As(err, &refused) // any other error leaves it empty
	s.note(res, operation, who, refused)
	s.retry = res.Header.Get("Retry-After")
	return out, err
}

// exchange sends one request and reads the answer as JSON.
func (c *client) exchange(ctx context.Context, who caller, service, operation, input string) (any, *http.Response, error) {
	api := services[service]
	if api == nil {
		return nil, nil, fmt.Errorf("no service %s", service)
	}
	i := slices.IndexFunc(api.Operations, func(o *awsapi.OperationMeta) bool { return o.Name == operation })
	if i < 0 {
		return nil, nil, fmt.Errorf("no operation %s", operation)
	}
	op := api.Operations[i]
	r, err := c.request(ctx, who, api, op, input)
	if err != nil {
		return nil, nil, err
	}
	res, body, err := c.do(r)
	if err != nil {
		return nil, nil, err
	}
	out, err := api.ReadResult(op, res, body)
	if err == nil && (api.Protocol == awsapi.Query || len(body) == 0) {
		body, err = json.Marshal(out)
	}
	if err != nil {
		return nil, res, err
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	return v, res, d.Decode(&v)
}

// note remembers a call, and whether it must be on record: if it was made by somebody whom the server knows.
func (s *story) note(res *http.Response, operation string, who caller, refused *awsapi.ResponseError) {
	// Credentials whose time is over are not looked at further, so that nobody is known by them.
	// Of a call that is to come back later nothing was decided.
	known := !slices.Contains(strangers, refused.Code) && refused.Code != "ThrottlingException" && !strings.HasSuffix(refused.Message, "token included in the request is expired")
	s.calls = append(s.calls, made{
		requestID: res.Header.Get("X-Amzn-Requestid"), operation: operation, code: refused.Code,
		recorded: who != caller{} && known || operation == "CreateToken" && refused.Code == "",
	})
}

// strangers are the codes of those whom nobody knows.
var strangers = []string{
	"UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch",
	"MissingAuthenticationTokenException", "MissingAuthenticationToken", "UnauthorizedException",
}

func (c *client) request(ctx context.Context, who caller, api *awsapi.Service, op *awsapi.OperationMeta, input string) (*http.Request, error) {
	in := op.NewIn()
	d := json.NewDecoder(strings.NewReader(input))
	d.DisallowUnknownFields()
	if err := d.Decode(in); err != nil {
		return nil, fmt.Errorf("read input %s: %w", input, err)
	}
	for name, value := range map[string]string{"InstanceArn": c.instance.ID.ARN(), "IdentityStoreId": string(c.instance.StoreID), "AccessToken": who.bearer} {
		f := reflect.ValueOf(in).Elem().FieldByName(name)
		if f.IsValid() && f.Kind() == reflect.String && f.String() == "" {
			f.SetString(value)
		}
	}
	r, err := api.NewRequest(ctx, c.url, op, in)
	if err != nil || who.keys.AccessKeyID == "" || op.Unsigned {
		return r, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r, sigv4.Sign(r, body, who.keys, c.instance.Region, api.SigningName, c.clock.Now())
}

// do sends a request as it is.
func (c *client) do(r *http.Request) (*http.Response, []byte, error) {
	res, err := c.http.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, body, err
}

func (s *story) bindCommand(ts *testscript.TestScript, args []string) error {
	v := s.last
	for step := range strings.SplitSeq(args[1], ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(at) {
				return fmt.Errorf("the answer has no %s", args[1])
			}
			v = at[i]
		case string: // JSON, as events have it
			var within map[string]any
			if err := json.Unmarshal([]byte(at), &within); err != nil {
				return err
			}
			v = within[step]
		}
	}
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("the answer has no text at %s", args[1])
	}
	s.bind(ts, args[0], text)
	return nil
}

// print shows an answer, with names for values.
func (s *story) print(to io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(to, s.named(b.String()))
	return err
}

// named writes names for the values that have one. Longer values first: an ARN may hold an id that has a name too.
func (s *story) named(text string) string {
	names := make([]string, 0, len(s.names))
	for name := range s.names {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := len(s.names[b]) - len(s.names[a]); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		text = strings.ReplaceAll(text, s.names[name], "$"+name)
	}
	return text
}
