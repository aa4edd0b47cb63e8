package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"sallyport/internal/objects"
	"sallyport/internal/server"
)

// endpoints are the services that Sallyport answers for. Variables of single services leave S3 and the rest of a shell alone.
var endpoints = []string{"SSO_ADMIN", "IDENTITYSTORE", "SSO", "SSO_OIDC", "STS", "SALLYPORT", "IAM", "ORGANIZATIONS", "CLOUDTRAIL"}

// newEnv is `sallyport env`: the operator's shell.
func newEnv() *cobra.Command {
	var data string
	var all, s3 bool
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Print shell lines that point the AWS CLI and SDKs here, as the operator",
		Long: `Print shell lines that point the AWS CLI and SDKs here, as the operator:

  eval "$(sallyport env --data DIR)"
  aws sso-admin list-instances

Only the services that Sallyport answers for are pointed here, so that S3 and the rest of that shell are left alone.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, err := server.ReadWorldFile(data)
			if err != nil {
				return err
			}
			if err := printEnv(cmd.OutOrStdout(), w, all, s3); err != nil {
				return err
			}
			if production(w) { // on the standard error, which no shell evaluates
				fmt.Fprintf(cmd.ErrOrStderr(), "This is the operator's key, which needs no second factor. Once people administer, switch it off: sallyport operator disable --data %s\n", data)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "data directory of the server (required)")
	cmd.Flags().BoolVar(&all, "all", false, "set the global AWS_ENDPOINT_URL instead of one for each service")
	cmd.Flags().BoolVar(&s3, "s3", false, "point S3 here too, to read and validate trail files")
	_ = cmd.MarkFlagRequired("data") // the flag exists
	return cmd
}

func printEnv(w io.Writer, world server.WorldFile, all, s3 bool) error {
	var b strings.Builder
	set := func(name, value string) { fmt.Fprintf(&b, "export %s=%s\n", name, quote(value)) }
	b.WriteString("unset AWS_PROFILE AWS_SESSION_TOKEN\n")
	set("AWS_ACCESS_KEY_ID", world.Operator.AccessKeyID)
	set("AWS_SECRET_ACCESS_KEY", world.Operator.SecretAccessKey)
	set("AWS_REGION", world.Region)
	set("AWS_DEFAULT_REGION", world.Region)
	if all {
		set("AWS_ENDPOINT_URL", world.Endpoint)
	} else {
		for _, s := range endpoints {
			set("AWS_ENDPOINT_URL_"+s, world.Endpoint)
		}
	}
	if s3 {
		set("AWS_ENDPOINT_URL_S3", strings.TrimSuffix(world.Endpoint, "/")+objects.Prefix)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// quote makes a value safe in every POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
