package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/clock"
	"sallyport/internal/fault"
)

// newUsage is `sallyport usage`: how much was given out.
func newUsage() *cobra.Command {
	var f remote
	var from, to, by string
	cmd := f.command("usage", "Sum up role sessions and credential hours",
		`A session is one time that role credentials were given out; its hours are how long they were good for, so that the sum is the most that they
can have been used. Days are in UTC, and both ends count. By group it is told which groups people had their access by at that moment:
what somebody had by two of them counts for both.`,
		func(cmd *cobra.Command, c *client, _ []string) error { return f.usage(cmd, c, from, to, by) })
	cmd.Flags().StringVar(&from, "from", "30d", "first day, or how long ago that was")
	cmd.Flags().StringVar(&to, "to", "", "last day (default: today)")
	cmd.Flags().StringVar(&by, "by", "user", "user, group, permission-set or account")
	cmd.PersistentFlags().Lookup("output").Usage = "table, csv, or json: the API's answer"
	cmd.PersistentPreRunE = func(*cobra.Command, []string) error {
		if f.output != "table" && f.output != "json" && f.output != "csv" {
			return fault.Invalidf("The output %q will not do: expected table, csv or json.", f.output)
		}
		return nil
	}
	return cmd
}

// usageKinds are what usage is summed up by.
var usageKinds = map[string]api.UsageBy{
	"user": api.UsageByUser, "group": api.UsageByGroup, "permission-set": api.UsageByPermissionSet, "account": api.UsageByAccount,
}

func (f *remote) usage(cmd *cobra.Command, c *client, from, to, by string) error {
	kind, ok := usageKinds[by]
	if !ok {
		return fault.Invalidf("%q will not do: expected user, group, permission-set or account.", by)
	}
	first, last, err := period(from, to)
	if err != nil {
		return err
	}
	i, err := c.instance(cmd.Context())
	if err != nil {
		return err
	}
	in := api.ListUsageRequest{InstanceArn: *i.InstanceArn, By: kind, From: first, To: last}
	var until *time.Time
	sums, raw, err := apiclient.AskAll(cmd.Context(), c.Client, "Usage",
		func(next *string) any { in.NextToken = next; return &in },
		func(out *api.ListUsageResponse) ([]api.UsageSum, *string) {
			until = out.CountedUntil
			return out.Usage, out.NextToken
		})
	if err != nil {
		return err
	}
	rows := usageRows(sums)
	head := []string{strings.ToUpper(strings.ReplaceAll(by, "-", " ")), "SESSIONS", "CREDENTIAL HOURS", "LAST USED", "ID"}
	if f.output == "csv" {
		return writeCSV(cmd.OutOrStdout(), append([][]string{head}, rows...))
	}
	if err := f.table(cmd, raw, head, rows); err != nil || f.output == "json" {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "Counted up to %s.\n", when(until))
	return nil
}

// period reads a first and a last day; without one, the last is today.
func period(from, to string) (first, last time.Time, err error) {
	begin, err := moment(from, clock.System{}.Now())
	if err != nil {
		return first, last, err
	}
	if begin == nil {
		return first, last, fault.Invalidf("--from must say a day.")
	}
	end, err := moment(to, clock.System{}.Now())
	if err != nil {
		return first, last, err
	}
	if end == nil {
		return *begin, clock.System{}.Now(), nil
	}
	return *begin, *end, nil
}

func usageRows(sums []api.UsageSum) [][]string {
	rows := make([][]string, len(sums))
	for n, s := range sums {
		name := text(s.Name)
		if name == "" {
			name = s.Id
		}
		hours := strconv.FormatFloat(float64(s.CredentialSeconds)/3600, 'f', 2, 64)
		rows[n] = []string{name, strconv.FormatInt(s.Sessions, 10), hours, when(s.LastUsedAt), s.Id}
	}
	return rows
}

// writeCSV writes rows as RFC 4180 has them. A cell that a spreadsheet would take for a formula gets an apostrophe before it, as OWASP
// advises: names are what people choose.
func writeCSV(w io.Writer, rows [][]string) error {
	out := csv.NewWriter(w)
	for _, cells := range rows {
		line := make([]string, len(cells))
		for n, cell := range cells {
			if line[n] = cell; cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
				line[n] = "'" + cell
			}
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// newUnused is `sallyport access unused`.
func newUnused(f *remote) *cobra.Command {
	var than string
	cmd := f.sub("unused", "List assignments by which nobody has got credentials for a while", func(cmd *cobra.Command, c *client, _ []string) error {
		return f.unused(cmd, c, than)
	})
	cmd.Long = `Assignments are listed that were granted earlier than --older-than ago and that nobody has used since: one of a group is used when one of its
members gets credentials by it, at the command line or in the portal.`
	cmd.Flags().StringVar(&than, "older-than", "90d", "how long nobody has used them: 90d, 12h")
	return cmd
}

func (f *remote) unused(cmd *cobra.Command, c *client, than string) error {
	since, err := moment(than, clock.System{}.Now())
	if err != nil {
		return err
	}
	if since == nil {
		return fault.Invalidf("--older-than must say a time.")
	}
	i, err := c.instance(cmd.Context())
	if err != nil {
		return err
	}
	in := api.ListUnusedAccessRequest{InstanceArn: *i.InstanceArn, UnusedSince: *since}
	all, raw, err := apiclient.AskAll(cmd.Context(), c.Client, "UnusedAssignments",
		func(next *string) any { in.NextToken = next; return &in },
		func(out *api.ListUnusedAccessResponse) ([]api.UnusedAssignment, *string) {
			return out.UnusedAssignments, out.NextToken
		})
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return f.done(cmd, raw, "Every assignment older than %s has been used since.", than)
	}
	rows := make([][]string, len(all))
	for n, u := range all {
		p := api.AccessPath{PermissionSetName: u.PermissionSetName, PermissionSetArn: u.PermissionSetArn}
		name := text(u.PrincipalName)
		if name == "" {
			name = u.PrincipalId
		}
		used := "never"
		if u.LastUsedAt != nil {
			used = when(u.LastUsedAt)
		}
		rows[n] = []string{u.AccountId, setName(p), strings.ToLower(string(u.PrincipalType)) + " " + name, when(&u.Granted.At), actor(u.Granted.By), used}
	}
	return f.table(cmd, raw, []string{"ACCOUNT", "PERMISSION SET", "ASSIGNED TO", "SINCE", "BY", "LAST USED"}, rows)
}
