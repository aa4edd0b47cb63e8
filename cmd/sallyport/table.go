package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"sallyport/internal/fault"
)

// remote is what the commands that call a server have in common.
type remote struct {
	data   string
	output string
	yes    bool
	// aboutKeys says that the family is about the operator's keys, which needs no reminder of them.
	aboutKeys bool
}

// family makes a family of commands that call a server.
func (f *remote) family(use, short, long string) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Long: short + ".\n\n" + long + `

The server and the credentials are those of --data DIR or, without it, of the environment: eval "$(sallyport env --data DIR)".`}
	p := cmd.PersistentFlags()
	p.StringVar(&f.data, "data", "", "data directory of the server (default: the environment says where it is)")
	p.StringVar(&f.output, "output", "table", "table, or json: the API's answer")
	cmd.PersistentPreRunE = func(*cobra.Command, []string) error {
		if f.output != "table" && f.output != "json" {
			return fault.Invalidf("The output %q will not do: expected table or json.", f.output)
		}
		return nil
	}
	return cmd
}

// sub makes a command of a family. run gets a client and the arguments.
func (f *remote) sub(use, short string, run func(*cobra.Command, *client, []string) error) *cobra.Command {
	names := strings.Count(use, " ")
	optional := strings.Count(use, "[")
	return &cobra.Command{
		Use: use, Short: short, Args: arguments(use, names-optional, names),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := newClient(f.data)
			if err != nil {
				return err
			}
			if err := run(cmd, c, args); err != nil {
				return err
			}
			f.remind(cmd, c)
			return nil
		},
	}
}

// remind tells those who work with the operator's key of a production server that it is meant for the beginning only.
func (f *remote) remind(cmd *cobra.Command, c *client) {
	if f.aboutKeys || f.output == "json" || !production(c.world) {
		return
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "Done with the operator's key, which needs no second factor. Once people administer, switch it off: sallyport operator disable --data %s\n", f.data)
}

// arguments wants from least to most of them, and tells which.
func arguments(use string, least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return fault.Invalidf("Expected `%s %s`. See `%s --help`.", cmd.Parent().CommandPath(), use, cmd.CommandPath())
		}
		return nil
	}
}

// asks gives a command the flag --yes.
func (f *remote) asks(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do it without asking")
	return cmd
}

// confirm asks a person whether to go on. Without one, --yes must have been said.
func (f *remote) confirm(cmd *cobra.Command, question string) error {
	if f.yes {
		return nil
	}
	in := cmd.InOrStdin()
	if !terminal(in) {
		return fault.Invalidf("%s There is no terminal to answer at: say --yes.", question)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s [y/N] ", question)
	answer, err := bufio.NewReader(io.LimitReader(in, 1024)).ReadString('\n')
	if answer = strings.ToLower(strings.TrimSpace(answer)); err != nil || answer != "y" && answer != "yes" {
		return fault.Invalidf("Nothing was done.")
	}
	return nil
}

// terminal says whether there is a person at the other end of a stream.
func terminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// json prints the API's answer, if that is asked for.
func (f *remote) json(cmd *cobra.Command, raw json.RawMessage) (done bool, err error) {
	if f.output != "json" {
		return false, nil
	}
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return true, fmt.Errorf("read answer: %w", err)
	}
	b.WriteByte('\n')
	_, err = b.WriteTo(cmd.OutOrStdout())
	return true, err
}

// table prints rows under a head, or the API's answer.
func (f *remote) table(cmd *cobra.Command, raw json.RawMessage, head []string, rows [][]string) error {
	if done, err := f.json(cmd, raw); done {
		return err
	}
	return columns(cmd.OutOrStdout(), append([][]string{head}, rows...))
}

// fields prints one record, a field in each line, or the API's answer.
func (f *remote) fields(cmd *cobra.Command, raw json.RawMessage, rows [][]string) error {
	if done, err := f.json(cmd, raw); done {
		return err
	}
	return columns(cmd.OutOrStdout(), rows)
}

// secret prints what opens a door alone on the standard output, where scripts take it, and what to know about it elsewhere.
func (f *remote) secret(cmd *cobra.Command, raw json.RawMessage, secret, about string) error {
	if done, err := f.json(cmd, raw); done {
		return err
	}
	fmt.Fprintln(cmd.ErrOrStderr(), about)
	_, err := fmt.Fprintln(cmd.OutOrStdout(), secret)
	return err
}

// done tells a person what was done, and a program what the API answered.
func (f *remote) done(cmd *cobra.Command, raw json.RawMessage, format string, args ...any) error {
	if done, err := f.json(cmd, raw); done {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...)
	return nil
}

func columns(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, cells := range rows {
		line := make([]string, len(cells))
		for i, c := range cells {
			if line[i] = printable(c); line[i] == "" {
				line[i] = "-"
			}
		}
		if _, err := fmt.Fprintln(t, strings.Join(line, "\t")); err != nil {
			return err
		}
	}
	return t.Flush()
}

// printable keeps what strangers have sent, such as the names of their browsers, from steering a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// when writes a time for people; nothing for one that is not there.
func when(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// text is an optional text.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// number writes how many there are of something.
func number(n int32, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
