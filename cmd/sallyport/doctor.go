package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sallyport/internal/clock"
	"sallyport/internal/doctor"
	"sallyport/internal/fault"
)

// doctorFlags are the flags of `sallyport doctor`.
type doctorFlags struct{ url, ca, output string }

// newDoctor is `sallyport doctor`: why clients cannot use a server.
func newDoctor() *cobra.Command {
	var f doctorFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find out why clients cannot use a server",
		Long: `Examine a server as a client sees it: its name and port, TLS, what a proxy changes on the way, clocks, and the endpoint
variables of this shell. It signs nobody in and needs no rights; run it where the trouble is. It ends with 1 when something is bad.

  sallyport doctor --url https://id.example.org`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDoctor(cmd.Context(), cmd.OutOrStdout(), f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.url, "url", "", "the server's URL (required)")
	fl.StringVar(&f.ca, "ca", "", "PEM file of an authority to trust besides the system's")
	fl.StringVar(&f.output, "output", "table", "table or json")
	_ = cmd.MarkFlagRequired("url") // the flag exists
	return cmd
}

func runDoctor(ctx context.Context, out io.Writer, f doctorFlags) error {
	if f.output != "table" && f.output != "json" {
		return fault.Invalidf("The output %q will not do: expected table or json.", f.output)
	}
	u, err := doctor.ParseURL(f.url)
	if err != nil {
		return err
	}
	d := doctor.Doctor{URL: u, Clock: clock.System{}, Lookup: os.LookupEnv, Services: endpoints}
	if f.ca != "" {
		pem, err := os.ReadFile(f.ca)
		if err != nil {
			return fault.Invalidf("The authority's file cannot be read: %v.", err)
		}
		d.Roots = x509.NewCertPool()
		if !d.Roots.AppendCertsFromPEM(pem) {
			return fault.Invalidf("The file %s has no certificate: expected PEM.", f.ca)
		}
	}
	checks := d.Run(ctx)
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := printChecks(out, checks, f.output); err != nil {
		return err
	}
	bad := 0
	for _, c := range checks {
		if c.Result == doctor.Bad {
			bad++
		}
	}
	if bad > 0 {
		return fault.Invalidf("%d of %d checks are bad.", bad, len(checks))
	}
	return nil
}

func printChecks(out io.Writer, checks []doctor.Check, output string) error {
	if output == "json" {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(checks)
	}
	var b strings.Builder
	for _, c := range checks {
		mark := string(c.Result)
		if c.Result == doctor.Bad {
			mark = "BAD"
		}
		fmt.Fprintf(&b, "%-5s %-12s %s\n", mark, c.Name, c.Text)
		if c.Todo != "" {
			fmt.Fprintf(&b, "%18s → %s\n", "", c.Todo)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}
