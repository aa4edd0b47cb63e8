package main

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	directoryapi "sallyport/internal/awsapi/identitystore"
	adminapi "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/fault"
	"sallyport/internal/server"
	"sallyport/internal/sigv4"
)

// client calls a server's signed APIs. These commands have no other way in.
type client struct {
	*apiclient.Client
	endpoint string
	keys     sigv4.Credentials
	world    server.WorldFile // of the data directory; zero when the environment says where the server is
}

// newClient finds server and credentials: those of a data directory or, without one, those of the environment.
func newClient(data string) (*client, error) {
	if data != "" {
		w, err := server.ReadWorldFile(data)
		if err != nil {
			return nil, err
		}
		keys := sigv4.Credentials{AccessKeyID: w.Operator.AccessKeyID, SecretAccessKey: w.Operator.SecretAccessKey}
		return &client{apiclient.At(w.Endpoint, w.Region, keys), w.Endpoint, keys, w}, nil
	}
	keys := sigv4.Credentials{
		AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
	}
	endpoint, region := firstOf("AWS_ENDPOINT_URL_SALLYPORT", "AWS_ENDPOINT_URL"), firstOf("AWS_REGION", "AWS_DEFAULT_REGION")
	if keys.AccessKeyID == "" || keys.SecretAccessKey == "" || endpoint == "" || region == "" {
		return nil, fault.Invalidf("It is not known which server to call, or as whom: say --data DIR, or run eval \"$(sallyport env --data DIR)\" first " +
			"(AWS_ENDPOINT_URL_SALLYPORT, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY).")
	}
	if u, err := url.Parse(endpoint); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fault.Invalidf("%q is not a server's URL: expected https://host in AWS_ENDPOINT_URL_SALLYPORT.", endpoint)
	}
	return &client{apiclient.At(endpoint, region, keys), endpoint, keys, server.WorldFile{}}, nil
}

// newKeys is the client with other keys.
func newKeys(c *client, keys sigv4.Credentials) *client {
	return &client{apiclient.At(c.endpoint, c.Region, keys), c.endpoint, keys, c.world}
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
	out, _, err := apiclient.Ask[directoryapi.GetUserIdResponse](ctx, c.Client, &directoryapi.GetUserIdRequest{
		IdentityStoreId:     store,
		AlternateIdentifier: directoryapi.AlternateIdentifier{UniqueAttribute: &directoryapi.UniqueAttribute{AttributePath: "userName", AttributeValue: value}},
	})
	if apiclient.IsCode(err, "ResourceNotFoundException") {
		return "", fault.Invalidf("There is no user %s.", printable(name))
	}
	if err != nil {
		return "", err
	}
	return out.UserId, nil
}

// instance is the instance that the server has.
func (c *client) instance(ctx context.Context) (adminapi.InstanceMetadata, error) {
	if c.world.InstanceARN != "" {
		id := string(c.world.IdentityStoreID)
		return adminapi.InstanceMetadata{InstanceArn: &c.world.InstanceARN, IdentityStoreId: &id}, nil
	}
	out, _, err := apiclient.Ask[adminapi.ListInstancesResponse](ctx, c.Client, &adminapi.ListInstancesRequest{})
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
	out, _, err := apiclient.Ask[directoryapi.ListUsersResponse](ctx, c.Client, &directoryapi.ListUsersRequest{IdentityStoreId: store})
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
