package main

import (
	"os"

	"github.com/spf13/cobra"

	"sallyport/internal/config"
	"sallyport/internal/server"
)

// newServe is `sallyport serve`: production.
func newServe() *cobra.Command {
	var flags config.Config
	var file string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Run the server. The first start creates the organization, the instance and the operator, and prints where the operator's
file is. The URL is fixed then: it is the issuer of tokens and the host of cookies.

Settings come from --config FILE (TOML), then SALLYPORT_… variables, then flags. Secrets are read from files only.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := effective(file, flags)
			if err != nil {
				return err
			}
			return server.Serve(cmd.Context(), c, cmd.OutOrStdout())
		},
	}
	configFlags(cmd, &flags, &file)
	return cmd
}

// newConfig is `sallyport config check`.
func newConfig() *cobra.Command {
	var flags config.Config
	var file string
	check := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration and print what is in force, secrets masked",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := effective(file, flags)
			if err != nil {
				return err
			}
			cmd.Print(c.Summary())
			return nil
		},
	}
	configFlags(check, &flags, &file)
	cmd := &cobra.Command{Use: "config", Short: "Look at the configuration"}
	cmd.AddCommand(check)
	return cmd
}

func configFlags(cmd *cobra.Command, c *config.Config, file *string) {
	f := cmd.Flags()
	f.StringVar(file, "config", "", "TOML file with the settings below")
	f.StringVar(&c.Data, "data", "", "data directory")
	f.StringVar(&c.URL, "url", "", "public URL, such as https://id.example.org")
	f.StringVar(&c.Listen, "listen", "", "address to listen on (default: the URL's port on 127.0.0.1)")
	f.StringVar(&c.Database, "database", "", "postgres:// URL (default: SQLite in the data directory)")
	f.StringVar(&c.DatabaseFile, "database-file", "", "file that holds the postgres:// URL, for one with a password")
	f.StringVar(&c.Region, "region", "", "region name (default local-1)")
	f.StringVar(&c.KeyFile, "key-file", "", "key-encryption key, made at the first start (default: the data directory's name with .key)")
	f.StringVar(&c.LogLevel, "log-level", "", "debug, info, warn or error (default info)")
	f.StringVar(&c.AuditFile, "audit-file", "", "JSON-lines audit file (default: audit.jsonl in the data directory; off: none)")
}

// effective is defaults < file < environment < flags.
func effective(file string, flags config.Config) (*config.Config, error) {
	var c config.Config
	if file != "" {
		if err := c.Load(file); err != nil {
			return nil, err
		}
	}
	c.Environment(os.LookupEnv)
	c.Override(flags)
	return &c, c.Complete()
}
