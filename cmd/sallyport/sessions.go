package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
)

// newSessions is `sallyport sessions`: who is signed in.
func newSessions() *cobra.Command {
	var f remote
	var of string
	var all bool
	family := f.family("sessions", "See and end sessions", "NAME is a user name or a user's id; SESSION is an id that `sallyport sessions list` shows.")
	list := f.sub("list", "List the sessions of a user, or of everybody", func(cmd *cobra.Command, c *client, _ []string) error {
		return f.listSessions(cmd, c, of, all)
	})
	list.Flags().StringVar(&of, "user", "", "of this user alone")
	list.Flags().BoolVar(&all, "all", false, "those that are over, too")
	_ = list.RegisterFlagCompletionFunc("user", f.userNames) // the flag exists
	endUser := f.sub("end-user NAME", "End all sessions of a user", f.endUser)
	endUser.ValidArgsFunction = f.userNames
	family.AddCommand(
		list,
		f.sub("end SESSION", "End a session, with the command-line sessions that were approved in it", f.endSession),
		endUser,
		f.asks(f.sub("end-all", "End every session of everybody", f.endAll)),
	)
	return family
}

func (f *remote) listSessions(cmd *cobra.Command, c *client, of string, all bool) error {
	in := api.ListSessionsRequest{IncludeEnded: &all}
	if of != "" {
		id, err := c.user(cmd.Context(), of)
		if err != nil {
			return err
		}
		in.UserId = &id
	}
	sessions, raw, err := apiclient.AskAll(cmd.Context(), c.Client, "Sessions",
		func(next *string) any { in.NextToken = next; return &in },
		func(out *api.ListSessionsResponse) ([]api.Session, *string) { return out.Sessions, out.NextToken })
	if err != nil {
		return err
	}
	head := []string{"SESSION", "USER", "KIND", "BEGAN", "LAST USED", "ENDS", "ROLES", "ADDRESS", "PROGRAM"}
	rows := make([][]string, len(sessions))
	for i, s := range sessions {
		ends, program := when(&s.ExpiresAt), s.UserAgent
		if s.EndedAt != nil {
			ends = "ended " + when(s.EndedAt)
		}
		if s.ClientName != nil {
			program = *s.ClientName
		}
		rows[i] = []string{s.SessionId, s.UserName, string(s.Kind), when(&s.CreatedAt), when(&s.LastUsedAt), ends, strconv.Itoa(int(s.RolesInUse)), s.IpAddress, program}
	}
	return f.table(cmd, raw, head, rows)
}

func (f *remote) endSession(cmd *cobra.Command, c *client, args []string) error {
	_, raw, err := apiclient.Ask[api.EndSessionResponse](cmd.Context(), c.Client, &api.EndSessionRequest{SessionId: args[0]})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "The session is over, with the role credentials that were given out in it.")
}

func (f *remote) endUser(cmd *cobra.Command, c *client, args []string) error {
	id, err := c.user(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	out, raw, err := apiclient.Ask[api.EndUserSessionsResponse](cmd.Context(), c.Client, &api.EndUserSessionsRequest{UserId: id})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "%s of %s ended.", number(out.Ended, "session", "sessions"), printable(args[0]))
}

func (f *remote) endAll(cmd *cobra.Command, c *client, _ []string) error {
	if err := f.confirm(cmd, "End every session of everybody, and stop all role credentials in use?"); err != nil {
		return err
	}
	out, raw, err := apiclient.Ask[api.EndAllSessionsResponse](cmd.Context(), c.Client, &api.EndAllSessionsRequest{})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "%s ended.", number(out.Ended, "session", "sessions"))
}
