package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
)

// newSettings is `sallyport settings`: what is demanded of everybody.
func newSettings() *cobra.Command {
	var f remote
	family := f.family("settings", "See and change the settings of sign-in and sessions", "Settings hold for the whole deployment, at once. What a server is told before it runs is in `sallyport config`.")
	for _, cmd := range []*cobra.Command{
		f.sub("list", "List every setting with its default and AWS's value", f.listSettings),
		f.sub("get NAME", "Show a setting", f.getSetting),
		f.sub("set NAME VALUE", "Change a setting", f.setSetting),
		f.sub("reset NAME", "Put a setting back to its default", f.resetSetting),
	} {
		cmd.ValidArgsFunction = f.settingNames
		family.AddCommand(cmd)
	}
	return family
}

func (c *client) settings(ctx context.Context) ([]api.Setting, []byte, error) {
	return apiclient.AskAll(ctx, c.Client, "Settings",
		func(next *string) any { return &api.ListSettingsRequest{NextToken: next} },
		func(out *api.ListSettingsResponse) ([]api.Setting, *string) { return out.Settings, out.NextToken })
}

func (f *remote) listSettings(cmd *cobra.Command, c *client, _ []string) error {
	all, raw, err := c.settings(cmd.Context())
	if err != nil {
		return err
	}
	rows := make([][]string, len(all))
	for i, s := range all {
		rows[i] = []string{s.Name, s.Value, s.DefaultValue, s.AwsValue}
	}
	return f.table(cmd, raw, []string{"NAME", "VALUE", "DEFAULT", "AWS"}, rows)
}

func (f *remote) getSetting(cmd *cobra.Command, c *client, args []string) error {
	out, raw, err := apiclient.Ask[api.GetSettingResponse](cmd.Context(), c.Client, &api.GetSettingRequest{Name: args[0]})
	if err != nil {
		return err
	}
	return f.showSetting(cmd, raw, out.Setting)
}

func (f *remote) showSetting(cmd *cobra.Command, raw []byte, s api.Setting) error {
	rows := [][]string{{"name", s.Name}, {"value", s.Value}, {"default", s.DefaultValue}, {"aws", s.AwsValue}}
	if len(s.Values) > 0 {
		rows = append(rows, []string{"one of", strings.Join(s.Values, ", ")})
	}
	if s.UpdatedBy != nil {
		rows = append(rows, []string{"changed", when(s.UpdatedAt)}, []string{"changed by", *s.UpdatedBy})
	}
	return f.fields(cmd, raw, append(rows, []string{"about", s.Description}))
}

func (f *remote) setSetting(cmd *cobra.Command, c *client, args []string) error {
	out, raw, err := apiclient.Ask[api.PutSettingResponse](cmd.Context(), c.Client, &api.PutSettingRequest{Name: args[0], Value: args[1]})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "%s is %s now.", printable(out.Setting.Name), printable(out.Setting.Value))
}

func (f *remote) resetSetting(cmd *cobra.Command, c *client, args []string) error {
	out, raw, err := apiclient.Ask[api.ResetSettingResponse](cmd.Context(), c.Client, &api.ResetSettingRequest{Name: args[0]})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "%s is %s again.", printable(out.Setting.Name), printable(out.Setting.Value))
}

// settingNames completes the name of a setting, and after it what it may be.
func (f *remote) settingNames(cmd *cobra.Command, args []string, _ string) (words []string, _ cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), 3*time.Second)
	defer cancel()
	c, err := newClient(f.data)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	all, _, err := c.settings(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	for _, s := range all {
		switch {
		case len(args) == 0 && cmd.Name() != "list":
			words = append(words, s.Name+"\t"+s.Value)
		case len(args) == 1 && cmd.Name() == "set" && s.Name == args[0]:
			words = s.Values
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}
