package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/fault"
)

// newSignals is `sallyport signals`: security events from and to others.
func newSignals() *cobra.Command {
	var f remote
	family := f.family("signals", "Heed the security signals of others, and tell others", `Shared signals (OpenID Shared Signals Framework 1.0): an identity provider, a device manager or another Sallyport says that a session,
a credential or an account is not to be trusted any more, and sessions end here; what happens here is told to others.`)
	receive := &cobra.Command{Use: "receive", Short: "Transmitters elsewhere, whose signals act here"}
	receive.AddCommand(f.addReceiver(), f.sub("list", "List transmitters", f.listReceivers), f.sub("show NAME", "Show a transmitter", f.showReceiver),
		f.sub("verify NAME", "Fetch a transmitter's keys", f.verifyReceiver), f.asks(f.sub("remove NAME", "Let a transmitter's signals act no more", f.removeReceiver)))
	transmit := &cobra.Command{Use: "transmit", Short: "Receivers elsewhere, who are told of what happens here"}
	transmit.AddCommand(f.addStream(), f.sub("list", "List receivers, and how delivery goes", f.listStreams), f.sub("show NAME", "Show a receiver", f.showStream),
		f.sub("verify NAME", "Send a receiver an event that says nothing, to see that its stream works", f.verifyStream),
		f.asks(f.sub("remove NAME", "Tell a receiver nothing any more", f.removeStream)), f.sub("rotate-key", "Make a new key for our signatures", f.rotateSignalKey))
	for _, c := range []*cobra.Command{receive, transmit} {
		c.Args, c.RunE = cobra.NoArgs, func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	family.AddCommand(receive, transmit)
	return family
}

// signalEventWords are events as commands say them, by the API's word.
func signalEventWords(all []api.SignalEvent) string {
	words := make([]string, len(all))
	for i, e := range all {
		words[i] = strings.ReplaceAll(strings.ToLower(string(e)), "_", "-")
	}
	return strings.Join(words, ",")
}

func signalEvents(words []string) []api.SignalEvent {
	var all []api.SignalEvent
	for _, w := range words {
		all = append(all, api.SignalEvent(strings.ReplaceAll(strings.ToUpper(w), "-", "_")))
	}
	return all
}

// given is a flag that was said; nil: it was not.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// secret is a secret that was said, or @ and the name of a file that holds it; nil: none.
func secret(s string) (*string, error) {
	name, inFile := strings.CutPrefix(s, "@")
	if !inFile {
		return given(s), nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fault.Invalidf("The token cannot be read: %v.", err)
	}
	return given(strings.TrimSpace(string(text))), nil
}

func (f *remote) addReceiver() *cobra.Command {
	var in struct {
		issuer, audience, jwks, delivery, pollURL, token, scim string
		events                                                 []string
	}
	cmd := f.sub("add NAME", "Let a transmitter's signals act here, and show the token that it pushes with this once", func(cmd *cobra.Command, c *client, args []string) error {
		token, err := secret(in.token)
		if err != nil {
			return err
		}
		ask := &api.CreateSignalReceiverRequest{
			Name: args[0], Issuer: in.issuer, Audience: in.audience, JwksUri: given(in.jwks), Delivery: api.SignalDelivery(strings.ToUpper(in.delivery)),
			PollUrl: given(in.pollURL), PollToken: token, Events: signalEvents(in.events),
		}
		if in.scim != "" {
			t, err := tenant(cmd, c, in.scim)
			if err != nil {
				return err
			}
			ask.TenantId = &t.TenantId
		}
		out, raw, err := apiclient.Ask[api.CreateSignalReceiverResponse](cmd.Context(), c.Client, ask)
		if err != nil {
			return err
		}
		rows := receiverFields(out.SignalReceiver)
		if out.BearerToken != nil {
			rows = append(rows, []string{"token", *out.BearerToken})
		}
		return f.fields(cmd, raw, rows)
	})
	p := cmd.Flags()
	p.StringVar(&in.issuer, "issuer", "", "the transmitter's issuer, exactly as its tokens have it")
	p.StringVar(&in.audience, "audience", "", "what its tokens call us")
	p.StringVar(&in.jwks, "jwks", "", "address of its keys (default: what it publishes at "+".well-known/ssf-configuration)")
	p.StringVar(&in.delivery, "delivery", "push", "push, or poll")
	p.StringVar(&in.pollURL, "poll-url", "", "with poll: the address to poll")
	p.StringVar(&in.token, "token", "", "with poll: the token to poll with, or @FILE")
	p.StringVar(&in.scim, "scim", "", "source of people (sallyport scim list) by whose ids the transmitter names them; mail addresses need none")
	p.StringSliceVar(&in.events, "events", nil, "which events act (default: session-revoked,credential-change,account-disabled,account-purged)")
	return required(cmd, "issuer", "audience")
}

// required marks flags without which a command does nothing.
func required(cmd *cobra.Command, names ...string) *cobra.Command {
	for _, name := range names {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // a mistake of this program, found by every test
		}
	}
	return cmd
}

func receivers(cmd *cobra.Command, c *client) ([]api.SignalReceiver, []byte, error) {
	return apiclient.AskAll(cmd.Context(), c.Client, "SignalReceivers",
		func(next *string) any { return &api.ListSignalReceiversRequest{NextToken: next} },
		func(out *api.ListSignalReceiversResponse) ([]api.SignalReceiver, *string) {
			return out.SignalReceivers, out.NextToken
		})
}

// receiver is the transmitter of a name.
func receiver(cmd *cobra.Command, c *client, name string) (api.SignalReceiver, []byte, error) {
	all, raw, err := receivers(cmd, c)
	if err != nil {
		return api.SignalReceiver{}, nil, err
	}
	for i, r := range all {
		if r.Name == name || r.ReceiverId == name {
			raw, err := element(raw, "SignalReceivers", i)
			return r, raw, err
		}
	}
	return api.SignalReceiver{}, nil, fault.Invalidf("There is no transmitter %s: `sallyport signals receive list` shows all.", printable(name))
}

// element is one row of a list as the API answers it.
func element(raw []byte, list string, i int) ([]byte, error) {
	var all map[string][]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil || i >= len(all[list]) {
		return nil, fmt.Errorf("read row %d of %s: %w", i, list, err)
	}
	return all[list][i], nil
}

func receiverFields(r api.SignalReceiver) [][]string {
	rows := [][]string{
		{"name", printable(r.Name)},
		{"issuer", printable(r.Issuer)},
		{"audience", printable(r.Audience)},
		{"delivery", strings.ToLower(string(r.Delivery))},
		{"events", signalEventWords(r.Events)},
	}
	if r.Endpoint != nil {
		rows = append(rows, []string{"endpoint", *r.Endpoint})
	}
	if r.PollUrl != nil {
		rows = append(rows, []string{"polls", printable(*r.PollUrl)})
	}
	return append(rows, []string{"id", r.ReceiverId})
}

func (f *remote) listReceivers(cmd *cobra.Command, c *client, _ []string) error {
	all, raw, err := receivers(cmd, c)
	if err != nil {
		return err
	}
	rows := make([][]string, len(all))
	for i, r := range all {
		rows[i] = []string{printable(r.Name), printable(r.Issuer), strings.ToLower(string(r.Delivery)), signalEventWords(r.Events)}
	}
	return f.table(cmd, raw, []string{"NAME", "ISSUER", "DELIVERY", "EVENTS"}, rows)
}

func (f *remote) showReceiver(cmd *cobra.Command, c *client, args []string) error {
	r, raw, err := receiver(cmd, c, args[0])
	if err != nil {
		return err
	}
	return f.fields(cmd, raw, receiverFields(r))
}

func (f *remote) verifyReceiver(cmd *cobra.Command, c *client, args []string) error {
	r, _, err := receiver(cmd, c, args[0])
	if err != nil {
		return err
	}
	out, raw, err := apiclient.Ask[api.VerifySignalReceiverResponse](cmd.Context(), c.Client, &api.VerifySignalReceiverRequest{ReceiverId: r.ReceiverId})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "%s publishes %d keys that its signals can be verified with.", printable(r.Issuer), out.KeysPublished)
}

func (f *remote) removeReceiver(cmd *cobra.Command, c *client, args []string) error {
	r, _, err := receiver(cmd, c, args[0])
	if err != nil {
		return err
	}
	if err := f.confirm(cmd, fmt.Sprintf("Let signals of %s act no more?", printable(r.Name))); err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.DeleteSignalReceiverResponse](cmd.Context(), c.Client, &api.DeleteSignalReceiverRequest{ReceiverId: r.ReceiverId})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "Signals of %s act no more.", printable(r.Name))
}
