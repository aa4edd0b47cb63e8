package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	"sallyport/internal/ascode"
	"sallyport/internal/clock"
	"sallyport/internal/fault"
	"sallyport/internal/migrate"
)

// newImport is `sallyport import`: a live Identity Center as a document.
func newImport() *cobra.Command {
	family := &cobra.Command{Use: "import", Short: "Read a live Identity Center as YAML"}
	var profile, out string
	var pace float64
	cmd := &cobra.Command{
		Use: "aws", Short: "Read an AWS IAM Identity Center by its public APIs", Args: cobra.NoArgs,
		Long: `Read an AWS IAM Identity Center, or another Sallyport, by the APIs that AWS publishes, and write what sallyport export would: accounts,
users, groups and memberships, permission sets with every kind of policy, assignments, access control attributes, applications. Nothing is
changed there. The file's first lines say what no API tells.

The profile needs to read sso:*, identitystore:* and organizations:* (AWSSSOReadOnly, AWSSSODirectoryReadOnly, AWSOrganizationsReadOnlyAccess).
A run that is cut short goes on where it was: its answers are kept beside the file until it is whole.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return fault.Invalidf("Say which file is to be written: --out FILE.")
			}
			return importAWS(cmd, profile, out, pace)
		},
	}
	cmd.Flags().StringVar(&profile, "profile", "", "profile of the AWS configuration (default: the environment's)")
	cmd.Flags().StringVar(&out, "out", "", "file to write")
	cmd.Flags().Float64Var(&pace, "rate", 15, fmt.Sprintf("requests per second, at most %d: AWS allows 20 to all that administer", migrate.MostPerSecond))
	family.AddCommand(cmd)
	return family
}

func importAWS(cmd *cobra.Command, profile, out string, pace float64) (err error) {
	ctx := cmd.Context()
	source, err := migrate.Open(ctx, profile, pace)
	if err != nil {
		return err
	}
	journal, err := apiclient.OpenJournal(out + ".answers")
	if err != nil {
		return err
	}
	if n := journal.Answers(); n > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "Going on: %d answers of an earlier run are in %s.answers; remove that file to begin anew.\n", n, out)
	}
	source.Client.Journal = journal
	live, problems, err := source.Read(ctx, progress(cmd))
	if err != nil {
		_ = journal.Close() // what it has stays for the next run
		return err
	}
	head := append([]string{"Read from " + live.Instance + " by `sallyport import aws` on " + clock.System{}.Now().Format(time.DateOnly) + "."}, problems...)
	if err := writeDocument(cmd, out, live.Document, head...); err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintln(cmd.ErrOrStderr(), printable(p))
	}
	d := live.Document
	fmt.Fprintf(cmd.OutOrStdout(), "%s has %d accounts, %d users, %d groups, %d permission sets and %d applications. Next: sallyport plan -f %[1]s\n",
		out, len(d.Accounts), len(d.Users), len(d.Groups), len(d.PermissionSets), len(d.Applications))
	return journal.Remove()
}

// writeIDs writes what ids of the source have become here.
func writeIDs(file string, pairs []ascode.Renamed) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fault.Invalidf("%s cannot be written: %v.", file, err)
	}
	defer f.Close()
	return encodeIDs(f, pairs)
}

func encodeIDs(w io.Writer, pairs []ascode.Renamed) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"kind", "name", "source", "here"}}
	for _, p := range pairs {
		rows = append(rows, []string{p.Kind, p.Name, p.Source, p.Here})
	}
	return c.WriteAll(rows)
}
