package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/fault"
)

// sinkFlags are what of a sink may be chosen.
type sinkFlags struct {
	kind, url, format, caFile, secretFile string
	options                               map[string]string
	sources                               []string
	writeOnly, fromStart                  bool
}

// newSinks is `sallyport sinks`: the audit log goes to receivers elsewhere.
func newSinks() *cobra.Command {
	f := &remote{}
	family := f.family("sinks", "Send the audit log to a webhook, a SIEM or a broker",
		"Each receiver gets every event at least once and in order, from a cursor of its own.")
	var p sinkFlags
	add := f.sub("add NAME", "Send the log to a receiver from now on", func(cmd *cobra.Command, c *client, args []string) error {
		return f.addSink(cmd, c, args[0], p)
	})
	p.on(add)
	add.Flags().StringVar(&p.kind, "kind", "webhook", "webhook, splunk-hec, elastic, otlp, syslog, kafka, nats, s3")
	add.Flags().BoolVar(&p.fromStart, "from-start", false, "send all that the log has, too")
	change := f.sub("set NAME", "Change where, how or what is sent", func(cmd *cobra.Command, c *client, args []string) error {
		return f.setSink(cmd, c, args[0], p)
	})
	p.on(change)
	family.AddCommand(f.sub("list", "List the receivers, and how far each is", f.listSinks), add, change,
		f.sub("show NAME", "Tell how it goes", f.showSink),
		f.sub("test NAME", "Send an event that is marked as a test, and tell what came of it", f.testSink),
		f.sub("pause NAME", "Send nothing; events wait in the log", f.sinkState(api.EventSinkStatePaused, "Nothing is sent to %s. Events wait in the log: sallyport sinks resume %[1]s")),
		f.sub("resume NAME", "Go on after a pause, or at once after a failure", f.sinkState(api.EventSinkStateOn, "Events are sent to %s.")),
		f.asks(f.sub("remove NAME", "Stop for good", f.removeSink)),
		f.deadSinks())
	return family
}

func (p *sinkFlags) on(cmd *cobra.Command) {
	s := cmd.Flags()
	s.StringVar(&p.url, "url", "", "where to: https://host/path; host:port,… of brokers and syslog receivers; s3://bucket/prefix")
	s.StringVar(&p.format, "format", "", "cloudtrail (the default), ocsf, or cef")
	s.StringVar(&p.caFile, "ca-file", "", "PEM file of the certificate authorities to trust, in place of the system's")
	s.StringVar(&p.secretFile, "secret-file", "", "file with the secret, token or key; -: the standard input")
	s.StringToStringVar(&p.options, "option", nil, "what else the kind wants, as name=value; may be said more than once")
	s.StringSliceVar(&p.sources, "source", nil, "send only events of this source, such as sso.amazonaws.com; may be said more than once")
	s.BoolVar(&p.writeOnly, "write-only", false, "leave out events that changed nothing")
}

// secret is nil where none is given.
func (p *sinkFlags) secret(cmd *cobra.Command) (*string, error) {
	var raw []byte
	var err error
	switch p.secretFile {
	case "":
		return nil, nil
	case "-":
		if terminal(cmd.InOrStdin()) {
			fmt.Fprint(cmd.ErrOrStderr(), "Secret: ")
		}
		raw, err = io.ReadAll(io.LimitReader(cmd.InOrStdin(), 16<<10))
	default:
		raw, err = os.ReadFile(p.secretFile)
	}
	if err != nil {
		return nil, fault.Invalidf("The secret cannot be read: %v.", err)
	}
	return new(strings.TrimSpace(string(raw))), nil
}

func (p *sinkFlags) certificates() (*string, error) {
	if p.caFile == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(p.caFile)
	if err != nil {
		return nil, fault.Invalidf("The certificates cannot be read: %v.", err)
	}
	return new(string(raw)), nil
}

// chosen is a flag's truth; nil: it was not said.
func chosen(cmd *cobra.Command, name string, value bool) *bool {
	if !cmd.Flags().Changed(name) {
		return nil
	}
	return &value
}

func (f *remote) addSink(cmd *cobra.Command, c *client, name string, p sinkFlags) error {
	if p.url == "" {
		return fault.Invalidf("Say where to with --url.")
	}
	secret, err := p.secret(cmd)
	if err != nil {
		return err
	}
	ca, err := p.certificates()
	if err != nil {
		return err
	}
	kind := strings.ToUpper(strings.ReplaceAll(p.kind, "-", "_"))
	out, raw, err := apiclient.Ask[api.CreateEventSinkResponse](cmd.Context(), c.Client, &api.CreateEventSinkRequest{
		Name: name, Kind: kind, Address: p.url, Format: given(p.format), CaCertificates: ca, Secret: secret, Options: p.options, EventSources: p.sources,
		WriteOnly: &p.writeOnly, FromStart: &p.fromStart,
	})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "Events are sent to %s. Try it: sallyport sinks test %[1]s", printable(out.EventSink.Name))
}

func (f *remote) setSink(cmd *cobra.Command, c *client, name string, p sinkFlags) error {
	s, err := eventSink(cmd, c, name)
	if err != nil {
		return err
	}
	in := &api.UpdateEventSinkRequest{
		SinkId: s.SinkId, Address: given(p.url), Format: given(p.format), Options: p.options, WriteOnly: chosen(cmd, "write-only", p.writeOnly),
	}
	if cmd.Flags().Changed("source") {
		in.EventSources = append([]string{}, p.sources...)
	}
	if in.Secret, err = p.secret(cmd); err != nil {
		return err
	}
	if in.CaCertificates, err = p.certificates(); err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.UpdateEventSinkResponse](cmd.Context(), c.Client, in)
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "%s is changed.", printable(s.Name))
}

// sinkState is the command that pauses or resumes.
func (f *remote) sinkState(state api.EventSinkState, said string) func(*cobra.Command, *client, []string) error {
	return func(cmd *cobra.Command, c *client, args []string) error {
		s, err := eventSink(cmd, c, args[0])
		if err != nil {
			return err
		}
		_, raw, err := apiclient.Ask[api.UpdateEventSinkResponse](cmd.Context(), c.Client, &api.UpdateEventSinkRequest{SinkId: s.SinkId, State: &state})
		if err != nil {
			return err
		}
		return f.done(cmd, raw, said, printable(s.Name))
	}
}

func (f *remote) removeSink(cmd *cobra.Command, c *client, args []string) error {
	s, err := eventSink(cmd, c, args[0])
	if err != nil {
		return err
	}
	if err := f.confirm(cmd, fmt.Sprintf("Stop sending events to %s? %s that wait are not sent.", printable(s.Name), plural(s.LagEvents, "event", "events"))); err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.DeleteEventSinkResponse](cmd.Context(), c.Client, &api.DeleteEventSinkRequest{SinkId: s.SinkId})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "Nothing is sent to %s any more.", printable(s.Name))
}

func (f *remote) testSink(cmd *cobra.Command, c *client, args []string) error {
	s, err := eventSink(cmd, c, args[0])
	if err != nil {
		return err
	}
	out, raw, err := apiclient.Ask[api.TestEventSinkResponse](cmd.Context(), c.Client, &api.TestEventSinkRequest{SinkId: s.SinkId})
	if err != nil {
		return err
	}
	if !out.Delivered {
		return fault.Invalidf("%s has not taken the test: %s.", printable(s.Name), strings.TrimSuffix(text(out.Error), "."))
	}
	return f.done(cmd, raw, "%s has taken the test, in %d ms.", printable(s.Name), out.Milliseconds)
}

// plural is a number of things.
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + many
}
