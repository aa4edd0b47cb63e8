package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"sallyport/internal/config"
	"sallyport/internal/server"
)

// newDev is `sallyport dev`: a throwaway world in one command.
func newDev() *cobra.Command {
	var c config.Config
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Start a throwaway world: server, sample organization, people, accounts",
		Long: `Start a throwaway world in one command: a server with an embedded database, a sample organization, people and accounts.
Every secret in it is made at random. Where everything is, for people and for scripts, is written to DIR/dev.json.
Without --data the world lives in a temporary directory and goes when the server stops.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			c.Dev = true
			if c.Data == "" {
				if c.Data, err = os.MkdirTemp("", "sallyport-dev-"); err != nil {
					return err
				}
				defer os.RemoveAll(c.Data)
			}
			c.KeyFile = filepath.Join(c.Data, "key") // asked for by `dev`: the whole world in one directory
			c.Region = "us-east-1"                   // which scripts expect
			if !cmd.Flags().Changed("qr") {
				c.QR = terminal(cmd.OutOrStdout())
			}
			return server.Dev(cmd.Context(), &c, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.Data, "data", "", "keep the world in this directory (default: a temporary one)")
	f.StringVar(&c.Listen, "listen", "127.0.0.1:8080", "address to listen on; port 0 picks a free one")
	f.StringVar(&c.Database, "database", "", "postgres:// URL (default: SQLite in the data directory)")
	f.StringVar(&c.DatabaseFile, "database-file", "", "file that holds the postgres:// URL, for one with a password")
	f.StringVar(&c.LogLevel, "log-level", "warn", "debug, info, warn or error")
	f.Var((*accounts)(&c.Accounts), "accounts", "add this many member accounts to the sample organization, to try things at size")
	f.BoolVar(&c.QR, "qr", false, "show the sample person's TOTP secret as a QR code too (default: at a terminal)")
	f.BoolVar(&c.UnsafeListen, "unsafe-listen", false, "allow an address off loopback: everyone who reaches it can try the sample world")
	return cmd
}

// accounts is the value of --accounts.
type accounts int

// Set reads the value.
func (a *accounts) Set(s string) error {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n > server.MaxSampleAccounts {
		return fmt.Errorf("expected a number from 0 to %d", server.MaxSampleAccounts)
	}
	*a = accounts(n)
	return nil
}

func (a *accounts) String() string { return strconv.Itoa(int(*a)) }

// Type names the value in the help text.
func (a *accounts) Type() string { return "number" }
