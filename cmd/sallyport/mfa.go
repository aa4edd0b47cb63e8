package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
)

// newMFA is `sallyport mfa`: the devices of people.
func newMFA() *cobra.Command {
	var f remote
	family := f.family("mfa", "See and remove users' second factors", "NAME is a user name or a user's id; DEVICE is an id that `sallyport mfa list` shows.")
	for _, cmd := range []*cobra.Command{
		f.sub("list NAME", "List a user's devices", f.listDevices),
		f.sub("rename NAME DEVICE NEW-NAME", "Give a device another name", f.renameDevice),
		f.asks(f.sub("remove NAME DEVICE", "Take a device from a user, and end their sessions", f.removeDevice)),
	} {
		cmd.ValidArgsFunction = f.userNames
		family.AddCommand(cmd)
	}
	return family
}

func (f *remote) listDevices(cmd *cobra.Command, c *client, args []string) error {
	id, err := c.user(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	devices, raw, err := apiclient.AskAll(cmd.Context(), c.Client, "MfaDevices",
		func(next *string) any { return &api.ListMfaDevicesRequest{UserId: id, NextToken: next} },
		func(out *api.ListMfaDevicesResponse) ([]api.MfaDevice, *string) { return out.MfaDevices, out.NextToken })
	if err != nil {
		return err
	}
	rows := make([][]string, len(devices))
	for i, d := range devices {
		kind := string(d.Type)
		if d.Synced != nil && *d.Synced {
			kind += ", synced"
		}
		rows[i] = []string{d.DeviceId, kind, when(&d.CreatedAt), when(d.LastUsedAt), d.Name}
	}
	return f.table(cmd, raw, []string{"DEVICE", "TYPE", "REGISTERED", "LAST USED", "NAME"}, rows)
}

func (f *remote) renameDevice(cmd *cobra.Command, c *client, args []string) error {
	id, err := c.user(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.RenameMfaDeviceResponse](cmd.Context(), c.Client, &api.RenameMfaDeviceRequest{UserId: id, DeviceId: args[1], Name: args[2]})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "The device is called %s now.", printable(args[2]))
}

func (f *remote) removeDevice(cmd *cobra.Command, c *client, args []string) error {
	id, err := c.user(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	if err := f.confirm(cmd, fmt.Sprintf("Take the device %s from %s, and end their sessions?", printable(args[1]), printable(args[0]))); err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.DeleteMfaDeviceResponse](cmd.Context(), c.Client, &api.DeleteMfaDeviceRequest{UserId: id, DeviceId: args[1]})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "The device is removed, and %s is signed out. To register another they may need an invitation: `sallyport users invite`.", printable(args[0]))
}
