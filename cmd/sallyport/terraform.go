package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// newTerraformConfig is `sallyport terraform-config`: what Terraform must be told to administer this server.
func newTerraformConfig() *cobra.Command {
	var f remote
	return f.command("terraform-config", "Print what Terraform must be told to work with this server",
		`The provider block leads the services that Sallyport answers for here, and leaves the rest of AWS alone. Credentials come from the
environment, as ever: eval "$(sallyport env --data DIR)", or a profile of people.`,
		func(cmd *cobra.Command, c *client, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), terraformConfig(c.endpoint, c.Region))
			return err
		})
}

// terraformServices are those of the provider's endpoints block that are answered here.
var terraformServices = []string{"identitystore", "sso", "ssoadmin", "sts"}

func terraformConfig(endpoint, region string) string {
	endpoint = strings.TrimSuffix(endpoint, "/")
	var b strings.Builder
	fmt.Fprintf(&b, `provider "aws" {
  region = %q

  # Sallyport is no AWS account: nothing about one is looked up.
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true

  endpoints {
`, region)
	for _, s := range terraformServices {
		fmt.Fprintf(&b, "    %-13s = %q\n", s, endpoint)
	}
	fmt.Fprintf(&b, `  }
}

# State in an S3-compatible store, whose credentials come by role from Sallyport.
terraform {
  backend "s3" {
    bucket = "terraform-state"
    key    = "identity-center.tfstate"
    region = %q

    endpoints = {
      s3  = "https://s3.example.org" # the store's
      sts = %q
    }
    use_path_style              = true
    use_lockfile                = true
    skip_credentials_validation = true
    skip_metadata_api_check     = true
    skip_region_validation      = true
    skip_requesting_account_id  = true
  }
}
`, region, endpoint)
	return b.String()
}
