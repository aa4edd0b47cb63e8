package main

import (
	"os"
	"strings"

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

Off this machine people reach it by TLS only. One of:
  --tls-cert FILE --tls-key FILE   certificate files; read again when they change
  --acme                           a public authority's certificates, issued and renewed by themselves (Let's Encrypt)
  --trusted-proxies NETWORKS       a proxy ends TLS; connections from elsewhere are refused
docs/serving.md has the configuration of proxies; 'sallyport doctor' tells whether all is well.

Settings come from --config FILE (TOML), then SALLYPORT_… variables, then flags. Secrets are read from files only.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := effective(cmd, file, flags)
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
			c, err := effective(cmd, file, flags)
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
	f.StringVar(&c.TrailDir, "trail-dir", "", "folder of the buckets that trails are written to (default: trails in the data directory; several nodes share it)")
	f.StringVar(&c.RevocationBound, "revocation-bound", "", "how old news of revocations may be before credentials are refused, 2s to 1m (default 3s)")
	tlsFlags(cmd, c)
	mailFlags(cmd, c)
}

func tlsFlags(cmd *cobra.Command, c *config.Config) {
	f := cmd.Flags()
	f.StringVar(&c.TLSCert, "tls-cert", "", "certificate and its chain, PEM; read again when it changes")
	f.StringVar(&c.TLSKey, "tls-key", "", "the certificate's key, PEM")
	f.BoolVar(&c.ACME, "acme", false, "have certificates issued by ACME, and accept the authority's terms")
	f.StringVar(&c.ACMEEmail, "acme-email", "", "whom the authority may write to")
	f.StringVar(&c.ACMEDirectory, "acme-directory", "", "the authority's directory URL (default: Let's Encrypt)")
	f.StringVar(&c.ACMECAFile, "acme-ca-file", "", "PEM file to trust for a private authority's directory (default: the system's)")
	f.StringVar(&c.HTTPListen, "http-listen", "", "plain-HTTP address for redirects and http-01 challenges (default: none)")
	f.StringSliceVar(&c.TrustedProxies, "trusted-proxies", nil, "addresses or networks of proxies that end TLS (default: this machine's own, for a listener on loopback)")
}

func mailFlags(cmd *cobra.Command, c *config.Config) {
	f := cmd.Flags()
	f.StringVar(&c.SMTPAddress, "smtp-address", "", "mail server, host or host:port (default: no mail; operators get the links)")
	f.StringVar(&c.SMTPFrom, "smtp-from", "", "sender of mail")
	f.StringVar(&c.SMTPUsername, "smtp-username", "", "account at the mail server (default: none)")
	f.StringVar(&c.SMTPPasswordFile, "smtp-password-file", "", "file that holds the account's password")
	f.StringVar(&c.SMTPTLS, "smtp-tls", "", "starttls, tls or none; none for this machine alone (default starttls)")
	f.StringVar(&c.SMTPCAFile, "smtp-ca-file", "", "PEM file to trust for the mail server (default: the system's)")
	f.StringVar(&c.BreachedPasswordsFile, "breached-passwords-file", "", "large list of breached passwords (default: the small embedded one)")
}

// effective is defaults < file < environment < flags.
func effective(cmd *cobra.Command, file string, flags config.Config) (*config.Config, error) {
	c, err := settings(cmd, file, flags)
	if err != nil {
		return nil, err
	}
	return c, c.Complete()
}

// settings are those of all places, as they were given.
func settings(cmd *cobra.Command, file string, flags config.Config) (*config.Config, error) {
	var c config.Config
	if file != "" {
		if err := c.Load(file); err != nil {
			return nil, err
		}
	}
	if err := c.Environment(os.LookupEnv); err != nil {
		return nil, err
	}
	c.Override(flags, func(name string) bool { return cmd.Flags().Changed(strings.ReplaceAll(name, "_", "-")) })
	return &c, nil
}
