package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/ascode"
	"sallyport/internal/clock"
	"sallyport/internal/fault"
)

// command makes a command of its own that calls a server.
func (f *remote) command(use, short, long string, run func(*cobra.Command, *client, []string) error) *cobra.Command {
	family := f.family(use, short, long)
	cmd := f.sub(use, short, run)
	family.Use, family.Args, family.RunE = use, cobra.NoArgs, cmd.RunE
	return family
}

// newExport is `sallyport export`: a deployment's configuration as a document.
func newExport() *cobra.Command {
	var f remote
	var people bool
	var file string
	cmd := f.command("export", "Write the configuration as YAML",
		`Permission sets with who has them where, groups and their members, access control attributes, applications, trusted token issuers and
settings, in one order, so that two exports differ only where the configuration does. People are written with --with-users.`,
		func(cmd *cobra.Command, c *client, _ []string) error {
			r := &ascode.Reader{Client: c.Client, Source: ascode.Sallyport{}, WithUsers: people, Progress: progress(cmd)}
			live, err := r.Read(cmd.Context())
			if err != nil {
				return err
			}
			return writeDocument(cmd, file, live.Document, "The configuration of "+c.endpoint+", "+live.Instance+",",
				"written by `sallyport export` on "+clock.System{}.Now().Format(time.DateOnly)+". What a document does not mention is left alone.")
		})
	cmd.Flags().BoolVar(&people, "with-users", false, "write the people too")
	cmd.Flags().StringVar(&file, "out", "", "file to write (default: standard output)")
	return cmd
}

// writeDocument writes where it was asked for; a file appears whole or not at all.
func writeDocument(cmd *cobra.Command, file string, d ascode.Document, head ...string) error {
	if file == "" {
		return ascode.Write(cmd.OutOrStdout(), d, head...)
	}
	part := file + ".part"
	w, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fault.Invalidf("%s cannot be written: %v.", file, err)
	}
	err = ascode.Write(w, d, head...)
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(part, file)
	}
	if err != nil {
		return fault.Invalidf("%s cannot be written: %v.", file, err)
	}
	return nil
}

// planned is what plan and apply have in common.
type planned struct {
	remote
	file string
}

func (f *planned) flags(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().StringVarP(&f.file, "file", "f", "", "the document, or - for standard input")
	return cmd
}

// plan reads the document and what is live, and tells how they differ.
func (f *planned) plan(cmd *cobra.Command, c *client) (*ascode.Plan, *ascode.Reader, error) {
	if f.file == "" {
		return nil, nil, fault.Invalidf("Say which document is meant: -f FILE.")
	}
	in := cmd.InOrStdin()
	if f.file != "-" {
		file, err := os.Open(f.file)
		if err != nil {
			return nil, nil, fault.Invalidf("The document cannot be read: %v.", err)
		}
		defer file.Close()
		in = file
	}
	want, err := ascode.Parse(in)
	if err != nil {
		return nil, nil, err
	}
	r := &ascode.Reader{Client: c.Client, Source: ascode.Sallyport{}, WithUsers: want.Users != nil, Progress: progress(cmd)}
	live, err := r.Read(cmd.Context())
	if err != nil {
		return nil, nil, err
	}
	p, err := ascode.New(live, want)
	return p, r, err
}

// newPlan is `sallyport plan`: what a document would change.
func newPlan() *cobra.Command {
	var f planned
	return f.flags(f.command("plan", "Show what a document would change, and what that means for people",
		`Nothing is changed. The last line names the state that the plan rests on: sallyport apply --expect STATE refuses any other.`,
		func(cmd *cobra.Command, c *client, _ []string) error {
			p, _, err := f.plan(cmd, c)
			if err != nil {
				return err
			}
			if f.output == "json" {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(p)
			}
			return showPlan(cmd.OutOrStdout(), p)
		}))
}

// newApply is `sallyport apply`: makes the configuration what a document says.
func newApply() *cobra.Command {
	var f planned
	var expect, ids string
	cmd := f.flags(f.command("apply", "Make the configuration what a document says",
		`The plan is shown and asked about first. What was done stays done when it is stopped: the same command goes on from there. It stops when
something was changed elsewhere meanwhile.`,
		func(cmd *cobra.Command, c *client, _ []string) error {
			p, r, err := f.plan(cmd, c)
			if err != nil {
				return err
			}
			if expect != "" && expect != p.State {
				return fault.Conflictf("The configuration is not the one that was expected: its state is %s, not %s. Look at a new plan.", p.State, expect)
			}
			if err := showPlan(cmd.ErrOrStderr(), p); err != nil {
				return err
			}
			if len(p.Steps) == 0 {
				return f.finish(ids, p)
			}
			if err := f.confirm(cmd, fmt.Sprintf("Do these %d steps?", len(p.Steps))); err != nil {
				return err
			}
			if err := p.Apply(cmd.Context(), r); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Done: %d steps.\n", len(p.Steps))
			return f.finish(ids, p)
		}))
	f.asks(cmd)
	cmd.Flags().StringVar(&ids, "ids", "", "CSV file to write: the ids that an imported document names, and what they are here")
	cmd.Flags().StringVar(&expect, "expect", "", "the state that a plan named: anything else is a conflict")
	return cmd
}

// finish writes the ids, if that was asked for.
func (f *planned) finish(ids string, p *ascode.Plan) error {
	if ids == "" {
		return nil
	}
	return writeIDs(ids, p.Renamed())
}

var signs = map[ascode.Action]string{ascode.Create: "+", ascode.Change: "~", ascode.Delete: "-", ascode.Provision: "»"}

// showPlan tells a person of a plan.
func showPlan(w io.Writer, p *ascode.Plan) error {
	if len(p.Steps) == 0 {
		_, err := fmt.Fprintf(w, "Nothing to do: the configuration is what the document says. State %s.\n", p.State)
		return err
	}
	counts := map[ascode.Action]int{}
	var b strings.Builder
	for _, s := range p.Steps {
		counts[s.Action]++
		fmt.Fprintf(&b, "%s %s %s\n", signs[s.Action], s.Kind, printable(s.Name))
		for _, d := range s.Details {
			fmt.Fprintf(&b, "      %s\n", printable(d))
		}
	}
	b.WriteString("\nWhat people gain and lose:\n")
	for _, e := range p.Effects {
		fmt.Fprintf(&b, "  %s\n", printable(e.String()))
	}
	if len(p.Effects) == 0 {
		b.WriteString("  nobody gains or loses a permission set\n")
	}
	fmt.Fprintf(&b, "\n%d to create, %d to change, %d to provision, %d to delete. State %s.\n",
		counts[ascode.Create], counts[ascode.Change], counts[ascode.Provision], counts[ascode.Delete], p.State)
	_, err := io.WriteString(w, b.String())
	return err
}

// progress tells a terminal what is being done, in one line that is written over; nobody else.
func progress(cmd *cobra.Command) func(what string, done, of int) {
	w := cmd.ErrOrStderr()
	if !terminal(w) {
		return nil
	}
	return func(what string, done, of int) {
		count := fmt.Sprint(done)
		if of > 0 {
			count += fmt.Sprintf(" of %d", of)
		}
		end := ""
		if of > 0 && done == of {
			end = "\n"
		}
		fmt.Fprintf(w, "\r\x1b[K%s: %s%s", printable(what), count, end)
	}
}
