package main

import (
	"github.com/spf13/cobra"

	"sallyport/internal/config"
	"sallyport/internal/server"
)

// newRestored is `sallyport restored`: what is done to a database that was brought back from a backup, before a server has it.
func newRestored() *cobra.Command {
	var flags config.Config
	var file string
	var ask remote
	cmd := ask.asks(&cobra.Command{
		Use:   "restored",
		Short: "Say that the database was brought back from a backup, so that nothing that was revoked or used since is good again",
		Long: `Say that the database was brought back from a backup. Nothing that was revoked or used up after the backup was made is good again:
all sessions and credentials end, codes, links and one-time passwords are void, and the operator's keys are off. What cannot be known
from the backup is listed, to be looked at by people. The server must be stopped. What was done is in the audit log from the next
start on.

  sallyport restored --data DIR`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := recoverable(cmd, file, flags)
			if err != nil {
				return err
			}
			if err := ask.confirm(cmd, "This signs everybody out and voids codes, links, one-time passwords and the operator's keys. Go on?"); err != nil {
				return err
			}
			return server.Restored(cmd.Context(), c, cmd.OutOrStdout())
		},
	})
	beside(cmd, &file, &flags)
	return cmd
}
