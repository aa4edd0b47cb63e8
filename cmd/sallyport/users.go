package main

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/qr"
)

// newUsers is `sallyport users`: how people sign in.
func newUsers() *cobra.Command {
	var f remote
	family := f.family("users", "See and change how users sign in", "NAME is a user name or a user's id.")
	oneTime := f.sub("one-time-password NAME", "Print a password that works once and must be changed then", f.oneTime)
	for _, cmd := range []*cobra.Command{
		f.sub("show NAME", "Show the state of a user's sign-in", f.showUser),
		f.sub("enable NAME", "Let a disabled user sign in again", f.enable),
		f.sub("disable NAME", "Keep a user out: end their sessions and the role credentials that they have", f.disable),
		oneTime,
		f.link(f.sub("invite NAME", "Print a link by which a user chooses a password and registers a device", f.invite)),
		f.link(f.sub("reset NAME", "Print a link by which a user chooses another password", f.reset)),
		f.sub("unlock NAME", "Forget a user's failed attempts", f.unlock),
	} {
		cmd.ValidArgsFunction = f.userNames
		family.AddCommand(cmd)
	}
	return family
}

func (f *remote) showUser(cmd *cobra.Command, c *client, args []string) error {
	id, err := c.user(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	out, raw, err := apiclient.Ask[api.DescribeUserSignInResponse](cmd.Context(), c.Client, &api.DescribeUserSignInRequest{UserId: id})
	if err != nil {
		return err
	}
	return f.fields(cmd, raw, [][]string{
		{"user name", out.UserName},
		{"user id", out.UserId},
		{"status", string(out.UserStatus)},
		{"password", string(out.PasswordStatus)},
		{"password changed", when(out.PasswordChangedAt)},
		{"mfa devices", strconv.Itoa(int(out.MfaDeviceCount))},
		{"last sign-in", when(out.LastSignInAt)},
		{"failed attempts", strconv.Itoa(int(out.FailedAttempts))},
		{"locked until", when(out.LockedUntil)},
		{"invited until", when(out.PendingInvitationExpiresAt)},
	})
}

func (f *remote) enable(cmd *cobra.Command, c *client, args []string) error {
	id, err := c.user(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.EnableUserResponse](cmd.Context(), c.Client, &api.EnableUserRequest{UserId: id})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "%s may sign in.", printable(args[0]))
}

func (f *remote) disable(cmd *cobra.Command, c *client, args []string) error {
	id, err := c.user(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.DisableUserResponse](cmd.Context(), c.Client, &api.DisableUserRequest{UserId: id})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "%s cannot sign in any more. Their sessions and role credentials have ended.", printable(args[0]))
}

func (f *remote) unlock(cmd *cobra.Command, c *client, args []string) error {
	id, err := c.user(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.UnlockUserResponse](cmd.Context(), c.Client, &api.UnlockUserRequest{UserId: id})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "Failed attempts of %s are forgotten.", printable(args[0]))
}

func (f *remote) oneTime(cmd *cobra.Command, c *client, args []string) error {
	id, err := c.user(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	out, raw, err := apiclient.Ask[api.CreateOneTimePasswordResponse](cmd.Context(), c.Client, &api.CreateOneTimePasswordRequest{UserId: id})
	if err != nil {
		return err
	}
	about := fmt.Sprintf("The password of %s works once, until %s. Hand it over on a way that nobody else sees.", printable(args[0]), when(&out.ExpiresAt))
	return f.secret(cmd, raw, out.OneTimePassword, about)
}

// Flags of the commands that make a link.
const (
	mail = "mail" // it is to be mailed
	code = "qr"   // it is to be drawn as well
)

// link gives a command that makes a link its flags.
func (f *remote) link(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().Bool(mail, false, "mail it to the user instead of printing it")
	cmd.Flags().Bool(code, false, "show it as a QR code too, for the user's phone")
	cmd.MarkFlagsMutuallyExclusive(mail, code)
	return cmd
}

// handOver prints a link, and draws it if that is asked for, for whoever is there in person. The drawing is no part of the
// standard output, where scripts take the link.
func (f *remote) handOver(cmd *cobra.Command, raw json.RawMessage, link, about string) error {
	if on, err := cmd.Flags().GetBool(code); err == nil && on && f.output != "json" {
		drawn, err := qr.Terminal(link)
		if err != nil {
			return err
		}
		fmt.Fprint(cmd.ErrOrStderr(), drawn)
	}
	return f.secret(cmd, raw, link, about)
}

func delivery(cmd *cobra.Command) api.Delivery {
	if on, err := cmd.Flags().GetBool(mail); err == nil && on {
		return api.DeliveryEmail
	}
	return api.DeliveryLink
}

func (f *remote) invite(cmd *cobra.Command, c *client, args []string) error {
	id, err := c.user(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	out, raw, err := apiclient.Ask[api.InviteUserResponse](cmd.Context(), c.Client, &api.InviteUserRequest{UserId: id, Delivery: delivery(cmd)})
	if err != nil {
		return err
	}
	if out.Link == nil {
		return f.done(cmd, raw, "The invitation is on its way to %s. It works once, until %s.", printable(text(out.SentTo)), when(&out.ExpiresAt))
	}
	return f.handOver(cmd, raw, *out.Link, fmt.Sprintf("With this link %s chooses a password and registers a device. It works once, until %s.", printable(args[0]), when(&out.ExpiresAt)))
}

func (f *remote) reset(cmd *cobra.Command, c *client, args []string) error {
	id, err := c.user(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	out, raw, err := apiclient.Ask[api.ResetUserPasswordResponse](cmd.Context(), c.Client, &api.ResetUserPasswordRequest{UserId: id, Delivery: delivery(cmd)})
	if err != nil {
		return err
	}
	if out.Link == nil {
		return f.done(cmd, raw, "The link is on its way to %s. It works once, until %s.", printable(text(out.SentTo)), when(&out.ExpiresAt))
	}
	return f.handOver(cmd, raw, *out.Link, fmt.Sprintf("With this link %s chooses another password; a device is asked for as ever. It works once, until %s.", printable(args[0]), when(&out.ExpiresAt)))
}
