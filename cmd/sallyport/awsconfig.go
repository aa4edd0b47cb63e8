package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"sallyport/internal/awsconfig"
	"sallyport/internal/fault"
	"sallyport/internal/portalclient"
)

// awsConfigFlags are the flags of `sallyport aws-config`.
type awsConfigFlags struct {
	portal, file, template, session, region string
	write                                   bool
}

// newAWSConfig is `sallyport aws-config`: a person's profiles in ~/.aws/config.
func newAWSConfig() *cobra.Command {
	var f awsConfigFlags
	cmd := &cobra.Command{
		Use:   "aws-config",
		Short: "Write AWS CLI profiles for every account and role that you can reach",
		Long: `Sign in at a portal, list your accounts and roles, and print AWS CLI profiles for all of them; with --write, keep them in one
marked block of ~/.aws/config. The block is updated and cleaned by the next run; nothing outside of it is touched.

  sallyport aws-config --portal https://id.example.org --write
  aws sso login --profile NAME`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runAWSConfig(cmd, f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.portal, "portal", "", "the portal's URL (required)")
	fl.BoolVar(&f.write, "write", false, "write to the file instead of printing")
	fl.StringVar(&f.file, "file", "", "the file (default: $AWS_CONFIG_FILE, else ~/.aws/config)")
	fl.StringVar(&f.template, "template", awsconfig.DefaultTemplate, "profile names: {account_name}, {account_id}, {role}")
	fl.StringVar(&f.session, "session", "", "name of the sso-session (default: from the portal's host)")
	fl.StringVar(&f.region, "region", "", "region of the profiles (default: the portal's)")
	_ = cmd.MarkFlagRequired("portal") // the flag exists
	return cmd
}

func runAWSConfig(cmd *cobra.Command, f awsConfigFlags) error {
	ctx, progress := cmd.Context(), cmd.ErrOrStderr()
	c, err := portalclient.Open(ctx, f.portal)
	var away *url.Error
	if errors.As(err, &away) && ctx.Err() == nil {
		return fault.Invalidf("The portal %s cannot be reached: %v.", f.portal, away.Err)
	}
	if err != nil {
		return err
	}
	token, err := c.SignIn(ctx, "sallyport aws-config", func(d portalclient.Device) {
		fmt.Fprintf(progress, "Open this page, compare the code and allow access:\n\n  %s\n\n  code %s\n\n", d.URI, d.UserCode)
	})
	if err != nil {
		return err
	}
	defer func() { // whatever happened, this sign-in was for this command alone
		if err := c.SignOut(context.WithoutCancel(ctx), token); err != nil {
			fmt.Fprintf(progress, "Signing out again failed (%v); the session ends by itself.\n", err)
		}
	}()
	profiles, err := reach(ctx, c, token, progress)
	if err != nil {
		return err
	}
	block, id, err := f.block(c.Portal, profiles, progress)
	if err != nil {
		return err
	}
	if !f.write {
		text, err := awsconfig.Render(block)
		if err == nil {
			cmd.Print(text)
		}
		return err
	}
	return f.save(block, id, progress)
}

// reach lists the person's accounts and roles, eight accounts at a time.
func reach(ctx context.Context, c *portalclient.Client, token string, progress io.Writer) ([]awsconfig.Profile, error) {
	accounts, err := c.Accounts(ctx, token)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(progress, "Reading the roles in %d accounts.\n", len(accounts))
	roles, errs := make([][]string, len(accounts)), make([]error, len(accounts))
	var wg sync.WaitGroup
	slots := make(chan struct{}, 8)
	for i, a := range accounts {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			roles[i], errs[i] = c.Roles(ctx, token, a.ID)
		})
	}
	wg.Wait()
	var out []awsconfig.Profile
	for i, a := range accounts {
		if errs[i] != nil {
			return nil, errs[i]
		}
		for _, r := range roles[i] {
			out = append(out, awsconfig.Profile{AccountID: a.ID, AccountName: a.Name, RoleName: r})
		}
	}
	return out, nil
}

// block makes the block; its id is the portal's host, so that several portals keep out of each other's way.
func (f awsConfigFlags) block(p portalclient.Portal, profiles []awsconfig.Profile, progress io.Writer) (awsconfig.Block, string, error) {
	u, err := url.Parse(f.portal)
	if err != nil {
		return awsconfig.Block{}, "", err
	}
	name := f.session
	if name == "" {
		name = u.Hostname()
	}
	region := f.region
	if region == "" {
		region = p.Region
	}
	for i := range profiles {
		profiles[i].Region = region
	}
	named, renamed, err := awsconfig.Names(f.template, profiles)
	if err != nil {
		return awsconfig.Block{}, "", err
	}
	for _, r := range renamed {
		fmt.Fprintf(progress, "Several profiles would have one name; this one is %s.\n", r.Name)
	}
	b := awsconfig.Block{
		Session: name, Services: name, StartURL: p.StartURL, Region: p.Region, Scopes: []string{"sso:account:access"}, Profiles: named,
		Endpoints: map[string]string{},
	}
	for _, service := range []string{"sso", "sso_oidc", "sso_admin", "identitystore", "sts", "iam", "organizations", "cloudtrail"} {
		b.Endpoints[service] = p.Endpoint
	}
	return b, u.Host, nil
}

func (f awsConfigFlags) save(b awsconfig.Block, id string, progress io.Writer) error {
	path := f.file
	if path == "" {
		path = os.Getenv("AWS_CONFIG_FILE")
	}
	if path == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return fault.Invalidf("Your home directory is not known: name the file with --file.")
		}
		path = filepath.Join(home, ".aws", "config")
	}
	changes, err := awsconfig.WriteFile(path, b, id)
	if err != nil {
		return err
	}
	fmt.Fprintf(progress, "%s: %s\n", path, changes)
	if len(b.Profiles) > 0 {
		fmt.Fprintf(progress, "Next: aws sso login --profile %s\n", b.Profiles[0].Name)
	}
	return nil
}
