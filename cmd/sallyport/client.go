package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/awsapi"
	directoryapi "sallyport/internal/awsapi/identitystore"
	api "sallyport/internal/awsapi/sallyport"
	adminapi "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/clock"
	"sallyport/internal/fault"
	"sallyport/internal/server"
	"sallyport/internal/sigv4"
)

// client calls a server's signed APIs, as any SDK would. These commands have no other way in.
type client struct {
	endpoint string
	region   string
	keys     sigv4.Credentials
	world    server.WorldFile // of the data directory; zero when the environment says where the server is
	http     *http.Client
}

const (
	callTime = 30 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 8 << 20
)

// newClient finds server and credentials: those of a data directory or, without one, those of the environment.
func newClient(data string) (*client, error) {
	c := &client{http: &http.Client{Timeout: callTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if data != "" {
		w, err := server.ReadWorldFile(data)
		if err != nil {
			return nil, err
		}
		c.world, c.endpoint, c.region = w, w.Endpoint, w.Region
		c.keys = sigv4.Credentials{AccessKeyID: w.Operator.AccessKeyID, SecretAccessKey: w.Operator.SecretAccessKey}
		return c, nil
	}
	c.keys = sigv4.Credentials{
		AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
	}
	c.endpoint, c.region = firstOf("AWS_ENDPOINT_URL_SALLYPORT", "AWS_ENDPOINT_URL"), firstOf("AWS_REGION", "AWS_DEFAULT_REGION")
	if c.keys.AccessKeyID == "" || c.keys.SecretAccessKey == "" || c.endpoint == "" || c.region == "" {
		return nil, fault.Invalidf("It is not known which server to call, or as whom: say --data DIR, or run eval \"$(sallyport env --data DIR)\" first " +
			"(AWS_ENDPOINT_URL_SALLYPORT, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY).")
	}
	if u, err := url.Parse(c.endpoint); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fault.Invalidf("%q is not a server's URL: expected https://host in AWS_ENDPOINT_URL_SALLYPORT.", c.endpoint)
	}
	return c, nil
}

// production says whether a file tells of a server that people rely on: the sample world comes with people of its own.
func production(w server.WorldFile) bool { return w.Operator.AccessKeyID != "" && len(w.Users) == 0 }

func firstOf(names ...string) string {
	for _, name := range names {
		if v := os.Getenv(name); v != "" {
			return v
		}
	}
	return ""
}

// services are those that the commands call.
var services = []*awsapi.Service{&api.Info, &directoryapi.Info, &adminapi.Info}

// ask calls the operation that Out is the answer of. raw is the answer as it came.
func ask[Out any](ctx context.Context, c *client, in any) (out *Out, raw json.RawMessage, err error) {
	for _, s := range services {
		for _, o := range s.Operations {
			if _, ok := o.NewOut().(*Out); !ok {
				continue
			}
			got, raw, err := c.call(ctx, s, o, in)
			if err != nil {
				return nil, nil, err
			}
			return got.(*Out), raw, nil
		}
	}
	return nil, nil, fmt.Errorf("no operation answers with %T", out)
}

// call sends one signed request. A refusal is a fault whose message is the server's.
func (c *client) call(ctx context.Context, s *awsapi.Service, o *awsapi.OperationMeta, in any) (any, []byte, error) {
	r, err := s.NewRequest(ctx, c.endpoint, o, in)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, nil, err
	}
	if err := sigv4.Sign(r, body, c.keys, c.region, s.SigningName, clock.System{}.Now()); err != nil {
		return nil, nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	res, err := c.http.Do(r)
	if err != nil {
		return nil, nil, unreachable(ctx, c.endpoint, err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, nil, unreachable(ctx, c.endpoint, err)
	}
	out, err := s.ReadResult(o, res, answer)
	var refused *awsapi.ResponseError
	switch {
	case errors.As(err, &refused) && refused.Message != "":
		return nil, nil, &fault.Error{Kind: fault.Denied, Message: refused.Message, Err: refused}
	case errors.As(err, &refused) && refused.Code != "":
		return nil, nil, &fault.Error{Kind: fault.Denied, Message: "The server refused: " + refused.Code + ".", Err: refused}
	case err != nil || res.StatusCode != http.StatusOK:
		return nil, nil, fault.Invalidf("%s does not answer as a Sallyport server: %s to %s.", c.endpoint, res.Status, o.Name)
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

// askAll calls a list to its last page. raw has the rows of all pages as one answer, under the name that the API gives them.
func askAll[Out, T any](ctx context.Context, c *client, member string, in func(next *string) any, part func(*Out) ([]T, *string)) (rows []T, raw json.RawMessage, err error) {
	all := []json.RawMessage{}
	for next := (*string)(nil); ; {
		out, answer, err := ask[Out](ctx, c, in(next))
		if err != nil {
			return nil, nil, err
		}
		var fields map[string]json.RawMessage
		var some []json.RawMessage
		if err := json.Unmarshal(answer, &fields); err != nil {
			return nil, nil, fmt.Errorf("read answer: %w", err)
		}
		if err := json.Unmarshal(fields[member], &some); err != nil {
			return nil, nil, fmt.Errorf("read %s of answer: %w", member, err)
		}
		page, token := part(out)
		rows, all = append(rows, page...), append(all, some...)
		if next = token; next == nil {
			raw, err = json.Marshal(map[string][]json.RawMessage{member: all})
			return rows, raw, err
		}
	}
}

// userID is the form of a user's id (model shape UserId).
var userID = regexp.MustCompile(`^([0-9a-f]{10}-)?[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}$`)

// user is the id of a user who is named by their user name, or by the id itself.
func (c *client) user(ctx context.Context, name string) (string, error) {
	if userID.MatchString(name) {
		return name, nil
	}
	store, err := c.identityStore(ctx)
	if err != nil {
		return "", err
	}
	value, err := json.Marshal(name)
	if err != nil {
		return "", err
	}
	out, _, err := ask[directoryapi.GetUserIdResponse](ctx, c, &directoryapi.GetUserIdRequest{
		IdentityStoreId:     store,
		AlternateIdentifier: directoryapi.AlternateIdentifier{UniqueAttribute: &directoryapi.UniqueAttribute{AttributePath: "userName", AttributeValue: value}},
	})
	if isCode(err, "ResourceNotFoundException") {
		return "", fault.Invalidf("There is no user %s.", printable(name))
	}
	if err != nil {
		return "", err
	}
	return out.UserId, nil
}

func isCode(err error, code string) bool {
	var refused *awsapi.ResponseError
	return errors.As(err, &refused) && refused.Code == code
}

// instance is the instance that the server has.
func (c *client) instance(ctx context.Context) (adminapi.InstanceMetadata, error) {
	if c.world.InstanceARN != "" {
		id := string(c.world.IdentityStoreID)
		return adminapi.InstanceMetadata{InstanceArn: &c.world.InstanceARN, IdentityStoreId: &id}, nil
	}
	out, _, err := ask[adminapi.ListInstancesResponse](ctx, c, &adminapi.ListInstancesRequest{})
	if err != nil {
		return adminapi.InstanceMetadata{}, err
	}
	for _, i := range out.Instances {
		if i.InstanceArn != nil && i.IdentityStoreId != nil {
			return i, nil
		}
	}
	return adminapi.InstanceMetadata{}, fault.Invalidf("The account of these credentials may not administer the instance of %s.", c.endpoint)
}

func (c *client) identityStore(ctx context.Context) (string, error) {
	i, err := c.instance(ctx)
	if err != nil {
		return "", err
	}
	return *i.IdentityStoreId, nil
}

// userNames completes an argument that is a user's name, from the first page of users.
func (f *remote) userNames(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), 3*time.Second)
	defer cancel()
	c, err := newClient(f.data)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	store, err := c.identityStore(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	out, _, err := ask[directoryapi.ListUsersResponse](ctx, c, &directoryapi.ListUsersRequest{IdentityStoreId: store})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, u := range out.Users {
		if u.UserName != nil {
			names = append(names, *u.UserName)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
