package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	"sallyport/internal/audit/format"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// newCollect is `sallyport collect`: the logs of other deployments are kept here.
func newCollect() *cobra.Command {
	f := &remote{}
	family := f.family("collect", "Keep the audit logs of other deployments",
		"This server is then a central place that those who administer the others cannot reach. A log's chain is verified as it comes.")
	var newest bool
	var most int
	events := f.sub("events NAME", "Print what has come, an event a line, as it was sealed", func(cmd *cobra.Command, c *client, args []string) error {
		return f.collectedEvents(cmd, c, args[0], newest, most)
	})
	events.Flags().BoolVar(&newest, "newest-first", false, "begin with the newest")
	events.Flags().IntVar(&most, "most", 0, "print so many at most; 0: all")
	family.AddCommand(
		f.sub("add NAME", "Take in the log of another deployment, and print the secret that it needs", f.addSource),
		f.sub("list", "List the deployments, how far each has come, and what is wrong", f.listSources),
		events,
		f.asks(f.sub("remove NAME", "Take nothing more, and delete what has come", f.removeSource)))
	return family
}

func (f *remote) addSource(cmd *cobra.Command, c *client, args []string) error {
	out, raw, err := apiclient.Ask[api.CreateEventSourceResponse](cmd.Context(), c.Client, &api.CreateEventSourceRequest{Name: args[0]})
	if err != nil {
		return err
	}
	return f.secret(cmd, raw, out.Secret, fmt.Sprintf(
		"The secret is shown this once. There: sallyport sinks add central --url %s --option body=ndjson --from-start --secret-file FILE", out.EventSource.Address))
}

func eventSources(cmd *cobra.Command, c *client) ([]api.EventSource, []byte, error) {
	var in api.ListEventSourcesRequest
	return apiclient.AskAll(cmd.Context(), c.Client, "EventSources", func(next *string) any { in.NextToken = next; return &in },
		func(out *api.ListEventSourcesResponse) ([]api.EventSource, *string) {
			return out.EventSources, out.NextToken
		})
}

func (f *remote) listSources(cmd *cobra.Command, c *client, _ []string) error {
	all, raw, err := eventSources(cmd, c)
	if err != nil {
		return err
	}
	rows := make([][]string, len(all))
	for i, s := range all {
		rows[i] = []string{s.Name, strconv.FormatInt(s.LastSequence, 10), when(s.LastReceivedAt), text(s.Problem), s.Address}
	}
	return f.table(cmd, raw, []string{"NAME", "UP TO EVENT", "RECEIVED", "PROBLEM", "ADDRESS"}, rows)
}

// eventSource finds a source by its name.
func eventSource(cmd *cobra.Command, c *client, name string) (api.EventSource, error) {
	all, _, err := eventSources(cmd, c)
	if err != nil {
		return api.EventSource{}, err
	}
	for _, s := range all {
		if s.Name == name {
			return s, nil
		}
	}
	return api.EventSource{}, fault.Invalidf("There is no source %q: sallyport collect list", name)
}

// collectedEvents prints as it reads: there may be millions.
func (f *remote) collectedEvents(cmd *cobra.Command, c *client, name string, newest bool, most int) error {
	s, err := eventSource(cmd, c, name)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(cmd.OutOrStdout())
	in := &api.ListCollectedEventsRequest{SourceId: s.SourceId, NewestFirst: &newest}
	for n := 0; ; {
		out, _, err := apiclient.Ask[api.ListCollectedEventsResponse](cmd.Context(), c.Client, in)
		if err != nil {
			return err
		}
		for _, e := range out.CollectedEvents {
			if n++; most > 0 && n > most {
				return w.Flush()
			}
			if err := printCollected(w, e); err != nil {
				return err
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return w.Flush()
		}
	}
}

func printCollected(w *bufio.Writer, e api.CollectedEvent) error {
	hash, err := hex.DecodeString(e.Hash)
	if err != nil {
		return fmt.Errorf("read hash of event %d: %w", e.Sequence, err)
	}
	line, err := format.CloudTrail{}.Format(store.SealedEvent{Seq: e.Sequence, Hash: hash, Event: store.Event{JSON: []byte(e.Event)}})
	if err != nil {
		return fmt.Errorf("print event %d: %w", e.Sequence, err)
	}
	if _, err = w.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("print event %d: %w", e.Sequence, err)
	}
	return nil
}

func (f *remote) removeSource(cmd *cobra.Command, c *client, args []string) error {
	s, err := eventSource(cmd, c, args[0])
	if err != nil {
		return err
	}
	if err := f.confirm(cmd, fmt.Sprintf("Delete the log of %s that is kept here, up to event %d?", printable(s.Name), s.LastSequence)); err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.DeleteEventSourceResponse](cmd.Context(), c.Client, &api.DeleteEventSourceRequest{SourceId: s.SourceId})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "Nothing is taken from %s any more.", printable(s.Name))
}
