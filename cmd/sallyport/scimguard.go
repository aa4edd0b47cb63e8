package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/fault"
	"sallyport/internal/scim"
)

// warnDays is how many days before its end a token is to be changed for another, as AWS begins to remind.
const warnDays = 90

// daysLeft is how long a token is good for, with a warning when another is to be made.
func daysLeft(expires, now time.Time) string {
	switch n := scim.DaysLeft(expires, now); {
	case n == 0:
		return "expired!"
	case n <= warnDays:
		return strconv.Itoa(n) + " (make another)"
	default:
		return strconv.Itoa(n)
	}
}

// removals is in short what is stopped or approved of a source's removals.
func removals(t api.ScimTenant) string {
	switch {
	case len(t.RemovalsStopped) > 0:
		return "stopped"
	case t.RemovalsApprovedUntil != nil:
		return "approved until " + when(t.RemovalsApprovedUntil)
	}
	return ""
}

// stop is what was stopped.
func stop(s api.ScimRemovalStop) string {
	what := strings.ToLower(string(s.Kind))
	if s.GroupId != nil {
		what += " of the group " + printable(*s.GroupId)
	}
	return fmt.Sprintf("%s since %s, when %d of %d had been removed; last asked for %s", what, when(&s.StoppedAt), s.Removed, s.Owned, when(&s.LastRefusedAt))
}

func (f *remote) showTenant(cmd *cobra.Command, c *client, args []string) error {
	all, raw, err := tenants(cmd, c)
	if err != nil {
		return err
	}
	i, err := tenantNamed(all, args[0])
	if err != nil {
		return err
	}
	var each struct{ ScimTenants []json.RawMessage }
	if err := json.Unmarshal(raw, &each); err != nil || len(each.ScimTenants) != len(all) {
		return fmt.Errorf("read answer: %d sources: %w", len(each.ScimTenants), err)
	}
	t := all[i]
	rows := [][]string{{"name", printable(t.Name)}, {"endpoint", t.Endpoint}, {"since", when(&t.CreatedAt)}}
	for _, s := range t.RemovalsStopped {
		rows = append(rows, []string{"removals stopped", stop(s)})
	}
	if t.RemovalsApprovedUntil != nil {
		rows = append(rows, []string{"removals approved until", when(t.RemovalsApprovedUntil)})
	}
	return f.fields(cmd, each.ScimTenants[i], rows)
}

func (f *remote) approveRemovals(cmd *cobra.Command, c *client, name string, life time.Duration) error {
	if life < 0 || life > 7*24*time.Hour || life%time.Second != 0 {
		return fault.Invalidf("The time %s will not do: expected whole seconds, and at most 168h.", life)
	}
	t, err := tenant(cmd, c, name)
	if err != nil {
		return err
	}
	in := &api.ApproveScimRemovalsRequest{TenantId: t.TenantId, DurationSeconds: new(int32(life / time.Second))}
	out, raw, err := apiclient.Ask[api.ApproveScimRemovalsResponse](cmd.Context(), c.Client, in)
	if err != nil {
		return err
	}
	if life == 0 {
		return f.done(cmd, raw, "What %s removes is counted again.", printable(t.Name))
	}
	return f.done(cmd, raw, "%s may remove any number until %s. Its client tries again by itself.", printable(t.Name), when(&out.ApprovedUntil))
}
