package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/fault"
)

func (f *remote) addStream() *cobra.Command {
	var in struct {
		audience, delivery, pushURL, token, subject string
		events                                      []string
	}
	cmd := f.sub("add NAME", "Tell a receiver of what happens here, and show the token that it polls with this once", func(cmd *cobra.Command, c *client, args []string) error {
		token, err := secret(in.token)
		if err != nil {
			return err
		}
		format := api.SignalSubjectFormat(strings.ReplaceAll(strings.ToUpper(in.subject), "-", "_"))
		out, raw, err := apiclient.Ask[api.CreateSignalStreamResponse](cmd.Context(), c.Client, &api.CreateSignalStreamRequest{
			Name: args[0], Audience: in.audience, Delivery: api.SignalDelivery(strings.ToUpper(in.delivery)), PushUrl: given(in.pushURL),
			PushToken: token, SubjectFormat: &format, Events: signalEvents(in.events),
		})
		if err != nil {
			return err
		}
		return f.fields(cmd, raw, append(streamFields(out.SignalStream), []string{"token", out.BearerToken}))
	})
	p := cmd.Flags()
	p.StringVar(&in.audience, "audience", "", "what the receiver is called in our tokens")
	p.StringVar(&in.delivery, "delivery", "push", "push, or poll")
	p.StringVar(&in.pushURL, "push-url", "", "with push: the receiver's address")
	p.StringVar(&in.token, "token", "", "with push: the token to push with, or @FILE")
	p.StringVar(&in.subject, "subject", "email", "how people are named: email, or iss-sub: by our id")
	p.StringSliceVar(&in.events, "events", nil, "which events are sent (default: session-revoked,credential-change,account-disabled,account-enabled,account-purged)")
	return required(cmd, "audience")
}

func streams(cmd *cobra.Command, c *client) ([]api.SignalStream, []byte, error) {
	return apiclient.AskAll(cmd.Context(), c.Client, "SignalStreams",
		func(next *string) any { return &api.ListSignalStreamsRequest{NextToken: next} },
		func(out *api.ListSignalStreamsResponse) ([]api.SignalStream, *string) {
			return out.SignalStreams, out.NextToken
		})
}

// signalStream is the receiver of a name.
func signalStream(cmd *cobra.Command, c *client, name string) (api.SignalStream, []byte, error) {
	all, raw, err := streams(cmd, c)
	if err != nil {
		return api.SignalStream{}, nil, err
	}
	for i, s := range all {
		if s.Name == name || s.StreamId == name {
			raw, err := element(raw, "SignalStreams", i)
			return s, raw, err
		}
	}
	return api.SignalStream{}, nil, fault.Invalidf("There is no receiver %s: `sallyport signals transmit list` shows all.", printable(name))
}

func streamFields(s api.SignalStream) [][]string {
	rows := [][]string{
		{"name", printable(s.Name)},
		{"audience", printable(s.Audience)},
		{"delivery", strings.ToLower(string(s.Delivery))},
		{"events", signalEventWords(s.Events)},
		{"subject", strings.ReplaceAll(strings.ToLower(string(s.SubjectFormat)), "_", "-")},
		{"waiting", strconv.Itoa(int(s.Waiting))},
	}
	if s.PushUrl != nil {
		rows = append(rows, []string{"pushes to", printable(*s.PushUrl)})
	}
	if s.Endpoint != nil {
		rows = append(rows, []string{"endpoint", *s.Endpoint})
	}
	if s.Problem != nil {
		rows = append(rows, []string{"problem", printable(*s.Problem)})
	}
	return append(rows, []string{"id", s.StreamId})
}

func (f *remote) listStreams(cmd *cobra.Command, c *client, _ []string) error {
	all, raw, err := streams(cmd, c)
	if err != nil {
		return err
	}
	rows := make([][]string, len(all))
	for i, s := range all {
		problem := ""
		if s.Problem != nil {
			problem = printable(*s.Problem)
		}
		rows[i] = []string{printable(s.Name), strings.ToLower(string(s.Delivery)), strconv.Itoa(int(s.Waiting)), when(s.LastTakenAt), problem}
	}
	return f.table(cmd, raw, []string{"NAME", "DELIVERY", "WAITING", "LAST TAKEN", "PROBLEM"}, rows)
}

func (f *remote) showStream(cmd *cobra.Command, c *client, args []string) error {
	s, raw, err := signalStream(cmd, c, args[0])
	if err != nil {
		return err
	}
	return f.fields(cmd, raw, streamFields(s))
}

func (f *remote) verifyStream(cmd *cobra.Command, c *client, args []string) error {
	s, _, err := signalStream(cmd, c, args[0])
	if err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.VerifySignalStreamResponse](cmd.Context(), c.Client, &api.VerifySignalStreamRequest{StreamId: s.StreamId})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "A verification event is on its way to %s: sallyport signals transmit show %[1]s", printable(s.Name))
}

func (f *remote) removeStream(cmd *cobra.Command, c *client, args []string) error {
	s, _, err := signalStream(cmd, c, args[0])
	if err != nil {
		return err
	}
	if err := f.confirm(cmd, fmt.Sprintf("Tell %s nothing any more? %d signals wait.", printable(s.Name), s.Waiting)); err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.DeleteSignalStreamResponse](cmd.Context(), c.Client, &api.DeleteSignalStreamRequest{StreamId: s.StreamId})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "%s is told nothing any more.", printable(s.Name))
}

func (f *remote) rotateSignalKey(cmd *cobra.Command, c *client, _ []string) error {
	out, raw, err := apiclient.Ask[api.RotateSignalKeyResponse](cmd.Context(), c.Client, &api.RotateSignalKeyRequest{})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "The key %s is published, and signs from a minute on. The one before it is published for another day.", out.KeyId)
}
