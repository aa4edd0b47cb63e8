package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
	adminapi "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/fault"
)

// maxMinutes is the most that may be demanded (model shape Minutes).
const maxMinutes = 1440

// newStepUp is `sallyport step-up`: what permission sets demand of the second factor.
func newStepUp() *cobra.Command {
	var f remote
	family := f.family("step-up", "Demand a recent second factor for a permission set's credentials", "PERMISSION-SET is the name or the ARN of a permission set.")
	family.AddCommand(
		f.sub("list", "List the permission sets that demand a recent second factor", f.listStepUps),
		f.sub("set PERMISSION-SET MINUTES", "Demand a second factor that is no older than this", f.setStepUp),
		f.asks(f.sub("remove PERMISSION-SET", "Take the demand away", f.removeStepUp)),
	)
	return family
}

func (f *remote) listStepUps(cmd *cobra.Command, c *client, _ []string) error {
	ctx := cmd.Context()
	i, err := c.instance(ctx)
	if err != nil {
		return err
	}
	all, raw, err := apiclient.AskAll(ctx, c.Client, "PermissionSetStepUps",
		func(next *string) any {
			return &api.ListPermissionSetStepUpsRequest{InstanceArn: *i.InstanceArn, NextToken: next}
		},
		func(out *api.ListPermissionSetStepUpsResponse) ([]api.PermissionSetStepUp, *string) {
			return out.PermissionSetStepUps, out.NextToken
		})
	if err != nil {
		return err
	}
	rows := make([][]string, len(all))
	for n, s := range all {
		rows[n] = []string{"", strconv.Itoa(int(s.MaxMfaAgeMinutes)), s.PermissionSetArn}
		if f.output == "json" {
			continue
		}
		name, err := c.nameOfSet(ctx, *i.InstanceArn, s.PermissionSetArn)
		if err != nil && !apiclient.IsCode(err, "ResourceNotFoundException") {
			return err
		}
		rows[n][0] = name
	}
	return f.table(cmd, raw, []string{"PERMISSION SET", "MINUTES", "ARN"}, rows)
}

func (f *remote) setStepUp(cmd *cobra.Command, c *client, args []string) error {
	minutes, err := strconv.ParseUint(args[1], 10, 16)
	if err != nil || minutes < 1 || minutes > maxMinutes {
		return fault.Invalidf("The minutes %q will not do: expected a number from 1 to %d.", printable(args[1]), maxMinutes)
	}
	instance, set, err := c.permissionSet(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.PutPermissionSetStepUpResponse](cmd.Context(), c.Client, &api.PutPermissionSetStepUpRequest{
		InstanceArn: instance, PermissionSetArn: set, MaxMfaAgeMinutes: int32(minutes),
	})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "Credentials of %s need a second factor no older than %s.", printable(args[0]), number(int32(minutes), "minute", "minutes"))
}

func (f *remote) removeStepUp(cmd *cobra.Command, c *client, args []string) error {
	instance, set, err := c.permissionSet(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	if err := f.confirm(cmd, fmt.Sprintf("Give credentials of %s out without a recent second factor?", printable(args[0]))); err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.DeletePermissionSetStepUpResponse](cmd.Context(), c.Client, &api.DeletePermissionSetStepUpRequest{InstanceArn: instance, PermissionSetArn: set})
	if apiclient.IsCode(err, "ResourceNotFoundException") {
		return fault.Invalidf("%s demands nothing: `sallyport step-up list` shows those that do.", printable(args[0]))
	}
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "%s demands nothing any more.", printable(args[0]))
}

// permissionSet is the ARN of a permission set that is named by its name or by the ARN itself, and that of its instance.
func (c *client) permissionSet(ctx context.Context, name string) (instance, set string, err error) {
	i, err := c.instance(ctx)
	if err != nil {
		return "", "", err
	}
	if strings.HasPrefix(name, "arn:") {
		return *i.InstanceArn, name, nil
	}
	all, _, err := apiclient.AskAll(ctx, c.Client, "PermissionSets",
		func(next *string) any {
			return &adminapi.ListPermissionSetsRequest{InstanceArn: *i.InstanceArn, NextToken: next}
		},
		func(out *adminapi.ListPermissionSetsResponse) ([]string, *string) {
			return out.PermissionSets, out.NextToken
		})
	if err != nil {
		return "", "", err
	}
	for _, set := range all {
		found, err := c.nameOfSet(ctx, *i.InstanceArn, set)
		if err != nil && !apiclient.IsCode(err, "ResourceNotFoundException") { // deleted meanwhile
			return "", "", err
		}
		if found == name {
			return *i.InstanceArn, set, nil
		}
	}
	return "", "", fault.Invalidf("There is no permission set %s.", printable(name))
}

func (c *client) nameOfSet(ctx context.Context, instance, set string) (string, error) {
	out, _, err := apiclient.Ask[adminapi.DescribePermissionSetResponse](ctx, c.Client, &adminapi.DescribePermissionSetRequest{InstanceArn: instance, PermissionSetArn: set})
	if err != nil {
		return "", err
	}
	return text(out.PermissionSet.Name), nil
}
