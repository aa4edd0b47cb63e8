// Command sallyport is a self-hosted identity center: the server, and the tools of those who run and use it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"sallyport/internal/fault"
)

func main() {
	// A busy server keeps a few MB and makes garbage fast; collecting it whenever the heap has doubled takes an eighth of its time.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "sallyport: "+sentence(err))
		stop()
		os.Exit(1)
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "sallyport",
		Short: "An identity center that you run yourself and that speaks AWS IAM Identity Center's protocols",
		Long: `Sallyport is an identity center that you run yourself and that speaks AWS IAM Identity Center's own protocols.

Try it:        sallyport dev
Operate it:    eval "$(sallyport env --data DIR)"; aws sso-admin list-instances
Use it:        sallyport aws-config --portal URL --write; aws sso login --profile NAME`,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w. See `%s --help`", err, c.CommandPath())
	})
	root.SetOut(os.Stdout) // what is asked for; cobra would send it where errors go
	root.AddCommand(newDev(), newServe(), newEnv(), newAWSConfig(), newConfig(), newDoctor(), newVersion(),
		newUsers(), newTrail(), newAudit(), newEmergency(), newUsage(), newAccess(), newAlerts(), newMFA(), newSessions(), newSettings(), newClients(), newStepUp(), newOperator(), newRecover(), newRestored(), newSCIM(), newSignals(), newSinks(), newCollect(),
		newExport(), newImport(), newPlan(), newApply(), newTerraformConfig(), newDrift(), newRevoke(), newEvents(), newAccounts())
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if !c.Runnable() { // a family: a name that is none of its commands is a mistake, not a wish for help
			c.Args, c.RunE = cobra.NoArgs, func(c *cobra.Command, _ []string) error { return c.Help() }
		}
	}
	return root
}

// sentence is an error as one clear sentence.
func sentence(err error) string {
	if f := fault.As(err); f != nil && f.Message != "" {
		return f.Message
	}
	if errors.Is(err, context.Canceled) {
		return "stopped."
	}
	return err.Error()
}
