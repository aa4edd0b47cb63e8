package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	directoryapi "sallyport/internal/awsapi/identitystore"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/fault"
)

// pushFlags are what of a target may be chosen.
type pushFlags struct {
	url, dialect, leavers, tokenFile string
	groups                           []string
	everyone                         bool
	rate                             int32
}

// newSCIMPush is `sallyport scim push`: people and groups go to another server.
func newSCIMPush(f *remote) *cobra.Command {
	var p pushFlags
	var dry, prune bool
	family := &cobra.Command{Use: "push", Short: "Keep people and groups on another SCIM server as they are here", Args: cobra.NoArgs}
	add := f.sub("add NAME", "Push to a server, whose token is read from the standard input", func(cmd *cobra.Command, c *client, args []string) error {
		return f.addTarget(cmd, c, args[0], p)
	})
	p.on(add)
	set := f.sub("set NAME", "Change how, where or what is pushed", func(cmd *cobra.Command, c *client, args []string) error {
		return f.setTarget(cmd, c, args[0], p)
	})
	p.on(set)
	set.Flags().BoolVar(&p.everyone, "everyone", false, "push everybody, not some groups")
	sync := f.asks(f.sub("sync NAME", "Compare both sides, and put right what differs there", func(cmd *cobra.Command, c *client, args []string) error {
		return f.syncTarget(cmd, c, args[0], dry, prune)
	}))
	sync.Flags().BoolVar(&dry, "dry-run", false, "say what would be done, and do nothing")
	sync.Flags().BoolVar(&prune, "prune", false, "also remove who is there and unknown here")
	family.AddCommand(f.sub("list", "List the servers", f.listTargets), add, set, f.sub("show NAME", "Tell how it goes, and what has failed", f.showTarget), sync,
		f.sub("pause NAME", "Send nothing; changes are kept", f.state(api.ScimTargetStateOff, "Nothing is sent to %s. Changes are kept: sallyport scim push resume %[1]s")),
		f.sub("resume NAME", "Go on after a pause, or after a refused token", f.state(api.ScimTargetStateOn, "%s is pushed to.")),
		f.asks(f.sub("remove NAME", "Stop for good; whoever is there stays", f.removeTarget)))
	return family
}

func (p *pushFlags) on(cmd *cobra.Command) {
	s := cmd.Flags()
	s.StringVar(&p.url, "url", "", "the server's SCIM endpoint, such as https://scim.us-east-1.amazonaws.com/…/scim/v2")
	s.StringVar(&p.tokenFile, "token-file", "", "file with the bearer token; -: the standard input")
	s.StringVar(&p.dialect, "dialect", "", "strict, as AWS's (the default), or complete, as the RFCs")
	s.StringVar(&p.leavers, "leavers", "", "what becomes there of people who leave: disable (the default), or delete")
	s.StringSliceVar(&p.groups, "group", nil, "push only this group and its members; may be said more than once (default: everybody)")
	s.Int32Var(&p.rate, "rate", 0, "requests a second (default: 25, as AWS takes)")
}

// word is a flag as the API writes it; nil: it was not said.
func word[T ~string](s string) *T {
	if s == "" {
		return nil
	}
	return new(T(strings.ToUpper(s)))
}

func (p *pushFlags) token(cmd *cobra.Command) (string, error) {
	var raw []byte
	var err error
	if p.tokenFile == "" || p.tokenFile == "-" {
		if terminal(cmd.InOrStdin()) {
			fmt.Fprint(cmd.ErrOrStderr(), "Token: ")
		}
		raw, err = io.ReadAll(io.LimitReader(cmd.InOrStdin(), 16<<10))
	} else {
		raw, err = os.ReadFile(p.tokenFile)
	}
	if err != nil {
		return "", fault.Invalidf("The token cannot be read: %v.", err)
	}
	token := strings.TrimSpace(string(raw))
	if token == "" {
		return "", fault.Invalidf("There is no token: give it on the standard input, or name a file with --token-file.")
	}
	return token, nil
}

// groupIDs are the ids of the groups that are named.
func (p *pushFlags) groupIDs(cmd *cobra.Command, c *client) ([]string, error) {
	if len(p.groups) == 0 {
		return nil, nil
	}
	store, err := c.identityStore(cmd.Context())
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, g := range p.groups {
		if userID.MatchString(g) { // a group's has the same form
			ids = append(ids, g)
			continue
		}
		value, err := json.Marshal(g)
		if err != nil {
			return nil, err
		}
		out, _, err := apiclient.Ask[directoryapi.GetGroupIdResponse](cmd.Context(), c.Client, &directoryapi.GetGroupIdRequest{
			IdentityStoreId:     store,
			AlternateIdentifier: directoryapi.AlternateIdentifier{UniqueAttribute: &directoryapi.UniqueAttribute{AttributePath: "displayName", AttributeValue: value}},
		})
		if apiclient.IsCode(err, "ResourceNotFoundException") {
			return nil, fault.Invalidf("There is no group %s.", printable(g))
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, out.GroupId)
	}
	return ids, nil
}

func (p *pushFlags) limit() *int32 {
	if p.rate == 0 {
		return nil
	}
	return &p.rate
}

func (f *remote) addTarget(cmd *cobra.Command, c *client, name string, p pushFlags) error {
	if p.url == "" {
		return fault.Invalidf("Say where to with --url.")
	}
	token, err := p.token(cmd)
	if err != nil {
		return err
	}
	groups, err := p.groupIDs(cmd, c)
	if err != nil {
		return err
	}
	out, raw, err := apiclient.Ask[api.CreateScimTargetResponse](cmd.Context(), c.Client, &api.CreateScimTargetRequest{
		Name: name, Url: p.url, Token: token, Dialect: word[api.ScimDialect](p.dialect), Deprovision: word[api.ScimDeprovision](p.leavers), Groups: groups, RequestsPerSecond: p.limit(),
	})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "People and groups are pushed to %s. How it goes: sallyport scim push show %[1]s", printable(out.ScimTarget.Name))
}

func (f *remote) setTarget(cmd *cobra.Command, c *client, name string, p pushFlags) error {
	t, err := target(cmd, c, name)
	if err != nil {
		return err
	}
	in := &api.UpdateScimTargetRequest{
		TargetId: t.TargetId, Dialect: word[api.ScimDialect](p.dialect), Deprovision: word[api.ScimDeprovision](p.leavers), RequestsPerSecond: p.limit(),
	}
	if p.url != "" {
		in.Url = &p.url
	}
	if p.tokenFile != "" {
		token, err := p.token(cmd)
		if err != nil {
			return err
		}
		in.Token = &token
	}
	if in.Groups, err = p.groupIDs(cmd, c); err != nil {
		return err
	}
	if p.everyone {
		in.Groups = []string{}
	}
	_, raw, err := apiclient.Ask[api.UpdateScimTargetResponse](cmd.Context(), c.Client, in)
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "%s is changed.", printable(t.Name))
}

// state is the command that pauses or resumes.
func (f *remote) state(s api.ScimTargetState, said string) func(*cobra.Command, *client, []string) error {
	return func(cmd *cobra.Command, c *client, args []string) error {
		t, err := target(cmd, c, args[0])
		if err != nil {
			return err
		}
		_, raw, err := apiclient.Ask[api.UpdateScimTargetResponse](cmd.Context(), c.Client, &api.UpdateScimTargetRequest{TargetId: t.TargetId, State: &s})
		if err != nil {
			return err
		}
		return f.done(cmd, raw, said, printable(t.Name))
	}
}

func (f *remote) removeTarget(cmd *cobra.Command, c *client, args []string) error {
	t, err := target(cmd, c, args[0])
	if err != nil {
		return err
	}
	if err := f.confirm(cmd, fmt.Sprintf("Stop pushing to %s? Whoever is there stays.", printable(t.Name))); err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.DeleteScimTargetResponse](cmd.Context(), c.Client, &api.DeleteScimTargetRequest{TargetId: t.TargetId})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "Nothing is pushed to %s any more.", printable(t.Name))
}
