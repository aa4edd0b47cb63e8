package main

import (
	"runtime/debug"

	"github.com/spf13/cobra"

	"sallyport/internal/policy/managed"
)

// newVersion is `sallyport version`.
func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, and the date of the catalogue of AWS managed policies",
		Args:  cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			version := "devel"
			if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
				version = b.Main.Version
			}
			cmd.Printf("sallyport %s\nAWS managed policies of %s\n", version, managed.Date())
		},
	}
}
