package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"sallyport/internal/config"
	"sallyport/internal/fault"
	"sallyport/internal/server"
)

// newRecover is `sallyport recover`: the way back in for whoever has the machine.
func newRecover() *cobra.Command {
	var flags config.Config
	var file string
	cmd := &cobra.Command{
		Use:   "recover",
		Short: "Make a new operator key without a server, when nobody can administer any more",
		Long: `Make a new key for the operator, and write it to the operator's file in the data directory. Every earlier key of the operator
stops working. The server must be stopped (with PostgreSQL it may run). What was done, and by which user of this machine, is in the
audit log from the next start on.

  sallyport recover --data DIR
  eval "$(sallyport env --data DIR)"; sallyport users one-time-password NAME`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := recoverable(cmd, file, flags)
			if err != nil {
				return err
			}
			return server.Recover(cmd.Context(), c, cmd.OutOrStdout())
		},
	}
	beside(cmd, &file, &flags)
	return cmd
}

// beside gives a command that is run beside the server the flags that tell where the server's things are.
func beside(cmd *cobra.Command, file *string, c *config.Config) {
	f := cmd.Flags()
	f.StringVar(file, "config", "", "the server's TOML file")
	f.StringVar(&c.Data, "data", "", "data directory of the server")
	f.StringVar(&c.Database, "database", "", "postgres:// URL (default: SQLite in the data directory)")
	f.StringVar(&c.DatabaseFile, "database-file", "", "file that holds the postgres:// URL, for one with a password")
	f.StringVar(&c.KeyFile, "key-file", "", "key-encryption key (default: where the server has it)")
}

// recoverable is the configuration as far as recovering needs it: nothing is served, so a URL is not asked for.
func recoverable(cmd *cobra.Command, file string, flags config.Config) (*config.Config, error) {
	c, err := settings(cmd, file, flags)
	if err != nil {
		return nil, err
	}
	if c.Data == "" {
		return nil, fault.Invalidf("No data directory: say --data DIR.")
	}
	if c.URL == "" {
		c.URL = "http://localhost"
	}
	if ofDev := filepath.Join(c.Data, "key"); c.KeyFile == "" && there(ofDev) { // see newDev
		c.KeyFile = ofDev
	}
	return c, c.Complete()
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
