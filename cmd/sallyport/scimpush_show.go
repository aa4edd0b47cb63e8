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

func targets(cmd *cobra.Command, c *client) ([]api.ScimTarget, []byte, error) {
	return apiclient.AskAll(cmd.Context(), c.Client, "ScimTargets",
		func(next *string) any { return &api.ListScimTargetsRequest{NextToken: next} },
		func(out *api.ListScimTargetsResponse) ([]api.ScimTarget, *string) {
			return out.ScimTargets, out.NextToken
		})
}

// target is the server of a name.
func target(cmd *cobra.Command, c *client, name string) (api.ScimTarget, error) {
	all, _, err := targets(cmd, c)
	if err != nil {
		return api.ScimTarget{}, err
	}
	for _, t := range all {
		if t.Name == name || t.TargetId == name {
			return t, nil
		}
	}
	return api.ScimTarget{}, fault.Invalidf("Nothing is pushed to %s: `sallyport scim push list` shows all.", printable(name))
}

func (f *remote) listTargets(cmd *cobra.Command, c *client, _ []string) error {
	all, raw, err := targets(cmd, c)
	if err != nil {
		return err
	}
	rows := make([][]string, len(all))
	for i, t := range all {
		rows[i] = []string{t.Name, strings.ToLower(string(t.State)), strings.ToLower(string(t.Dialect)), t.Url, when(t.LastPushedAt), text(t.LastError)}
	}
	return f.table(cmd, raw, []string{"NAME", "STATE", "DIALECT", "SERVER", "LAST PUSHED", "ERROR"}, rows)
}

func (f *remote) showTarget(cmd *cobra.Command, c *client, args []string) error {
	t, err := target(cmd, c, args[0])
	if err != nil {
		return err
	}
	d, raw, err := apiclient.Ask[api.DescribeScimTargetResponse](cmd.Context(), c.Client, &api.DescribeScimTargetRequest{TargetId: t.TargetId})
	if err != nil {
		return err
	}
	t = d.ScimTarget
	what := "everybody"
	if t.Groups != nil {
		what = strings.Join(t.Groups, ", ")
	}
	comparing := text(t.SyncPhase)
	if comparing == "" {
		comparing = "no, last done " + when(t.LastSyncAt)
	}
	err = f.fields(cmd, raw, [][]string{
		{"state", strings.ToLower(string(t.State))},
		{"server", t.Url},
		{"dialect", strings.ToLower(string(t.Dialect))},
		{"pushed are", what},
		{"leavers", strings.ToLower(string(t.Deprovision))},
		{"waiting", number(d.Waiting, "record", "records")},
		{"since", when(d.OldestChangeAt)},
		{"failed", number(d.Failed, "record", "records")},
		{"comparing", comparing},
		{"unknown there", number(t.UnknownThere, "record", "records")},
		{"changes pushed", strconv.Itoa(int(t.Pushed))},
		{"error", text(t.LastError)},
		{"tried again", when(t.ResumesAt)},
	})
	if err != nil || f.output == "json" || d.Failed == 0 {
		return err
	}
	return f.showErrors(cmd, c, t)
}

// showErrors lists the first of what a server has not taken.
func (f *remote) showErrors(cmd *cobra.Command, c *client, t api.ScimTarget) error {
	out, _, err := apiclient.Ask[api.ListScimTargetErrorsResponse](cmd.Context(), c.Client, &api.ListScimTargetErrorsRequest{TargetId: t.TargetId, MaxResults: new(int32(20))})
	if err != nil {
		return err
	}
	rows := [][]string{{"NOT TAKEN", "NAME", "TRIED", "AGAIN", "WHY"}}
	for _, e := range out.ScimTargetErrors {
		name := text(e.Name)
		if name == "" {
			name = e.LocalId
		}
		rows = append(rows, []string{strings.ToLower(string(e.Kind)), name, strconv.Itoa(int(e.Attempts)), when(&e.RetryAt), e.Error})
	}
	fmt.Fprintln(cmd.OutOrStdout())
	return columns(cmd.OutOrStdout(), rows)
}

func (f *remote) syncTarget(cmd *cobra.Command, c *client, name string, dry, prune bool) error {
	t, err := target(cmd, c, name)
	if err != nil {
		return err
	}
	if prune && !dry {
		if err := f.confirm(cmd, fmt.Sprintf("Remove everybody from %s who is unknown here? See who with --dry-run --prune.", printable(t.Name))); err != nil {
			return err
		}
	}
	out, raw, err := apiclient.Ask[api.StartScimTargetSyncResponse](cmd.Context(), c.Client, &api.StartScimTargetSyncRequest{TargetId: t.TargetId, DryRun: &dry, Prune: &prune})
	if err != nil {
		return err
	}
	if !dry {
		return f.done(cmd, raw, "Both sides are being compared: sallyport scim push show %s", printable(t.Name))
	}
	rows := make([][]string, len(out.Changes))
	for i, ch := range out.Changes {
		rows[i] = []string{spelled(string(ch.Change)), text(ch.Name), text(ch.LocalId), text(ch.RemoteId), text(ch.GroupId)}
	}
	if err := f.table(cmd, raw, []string{"WOULD", "NAME", "HERE", "THERE", "GROUP"}, rows); err != nil || f.output == "json" {
		return err
	}
	var counts []string
	for _, k := range out.Counts {
		counts = append(counts, fmt.Sprintf("%s: %d", spelled(string(k.Change)), k.Count))
	}
	if len(counts) == 0 {
		counts = []string{"nothing would be done"}
	}
	if out.Complete == nil || !*out.Complete {
		counts = append(counts, "there was not time enough to compare all")
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "In all, "+strings.Join(counts, ", ")+".")
	return nil
}

// spelled is a word of the API's for people.
func spelled(s string) string { return strings.ReplaceAll(strings.ToLower(s), "_", " ") }
