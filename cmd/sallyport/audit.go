package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/bucket"
	"sallyport/internal/clock"
	"sallyport/internal/config"
	"sallyport/internal/fault"
	"sallyport/internal/server"
	"sallyport/internal/trailfile"
)

// verify is what `sallyport audit verify` is told.
type verify struct {
	*remote
	dir, keys, against string
	trail              string
	since, until       string
	profile            string
	s3                 bucket.S3Config // with keys: a bucket of an S3 server, in place of a folder
	offline            bool
	config             string
}

// newAudit is `sallyport audit`.
func newAudit() *cobra.Command {
	v := &verify{remote: &remote{}}
	family := v.family("audit", "Verify what was recorded", `What happened is searched with the AWS CLI: aws cloudtrail lookup-events`)
	cmd := &cobra.Command{
		Use: "verify", Short: "Verify the files of trails, and that they hold what the audit log does", Args: cobra.NoArgs,
		Long: `Verify the files of trails: signatures, hashes, the chain of digests, and that the events in them are those of the audit log's own chain.

It finds what aws cloudtrail validate-logs does, and what that does not: newest digests that are missing, log files that were added,
events that no file holds, and, with --against, a history that was rewritten by somebody who has the server's own key.

The files are read from the server or, with --dir, from a folder. Those in a bucket of an S3 server are read from there, with the credentials
that the AWS SDK finds: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or a profile. Where the environment says who calls
Sallyport, it needs --profile.

With --keys no server is asked: FILE is what aws cloudtrail list-public-keys --start-time 2026-01-01 prints, and the files are in --dir, or in
--bucket. With --offline the database in --data is read, and buckets by its own record of them; the server must be stopped (with PostgreSQL
it may run), and newest files are not expected.

It ends with 0 when nothing is wrong, and with 1 when something is.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return v.run(cmd) },
	}
	s := cmd.Flags()
	s.StringVar(&v.dir, "dir", "", "folder with a copy of a bucket (default: the files are read where they are)")
	s.StringVar(&v.keys, "keys", "", "with --dir or --bucket: file with the public keys (default: the server is asked)")
	s.StringVar(&v.profile, "profile", "", "profile of the AWS configuration to read buckets of S3 servers with (default: what the AWS SDK finds)")
	s.StringVar(&v.s3.Name, "bucket", "", "with --keys: bucket of an S3 server")
	s.StringVar(&v.s3.Endpoint, "endpoint", "", "with --bucket: URL of the S3 server")
	s.StringVar(&v.s3.Region, "region", "", "with --bucket: the region to sign for (default: AWS_REGION, or that of the profile)")
	s.BoolVar(&v.s3.PathStyle, "path-style", false, "with --bucket: name the bucket in the path and not in the host")
	s.BoolVar(&v.offline, "offline", false, "read the database in --data, without a server")
	s.StringVar(&v.config, "config", "", "with --offline: the server's TOML file, for PostgreSQL, or where files are elsewhere")
	s.StringVar(&v.against, "against", "", "JSON-lines file of a sink, or folder with digests, that kept the chain's head")
	s.StringVar(&v.trail, "trail", "", "look at this trail alone (default: all)")
	s.StringVar(&v.since, "since", "", "look at digests that end at or after this time (RFC 3339)")
	s.StringVar(&v.until, "until", "", "look at digests that end at or before this time, and expect no newer ones")
	family.AddCommand(cmd)
	return family
}

// run verifies place by place, and tells of all of it.
func (v *verify) run(cmd *cobra.Command) error {
	ctx := cmd.Context()
	from, to, err := v.times()
	if err != nil {
		return err
	}
	kept, err := v.kept(ctx)
	if err != nil {
		return err
	}
	tell := progress(cmd)
	change := func(c *trailfile.Check) {
		c.From, c.To, c.Kept, c.Parallel = from, to, kept, runtime.GOMAXPROCS(0)
		if tell != nil {
			c.Progress = func(done, of int, _ int64) { tell("digests verified", done, of) }
		}
	}
	if v.offline {
		total, err := v.database(cmd, change)
		if err != nil {
			return err
		}
		return v.report(cmd, total)
	}
	checks, err := v.checks(ctx)
	if err != nil {
		return err
	}
	total := trailfile.NewReport()
	for _, c := range checks {
		change(c)
		if to.IsZero() {
			c.Now = clock.System{}.Now()
		}
		r, err := c.Run(ctx)
		if err != nil {
			return err
		}
		total.Merge(r)
	}
	return v.report(cmd, total)
}

// database verifies by the database of a data directory.
func (v *verify) database(cmd *cobra.Command, change func(*trailfile.Check)) (*trailfile.Report, error) {
	if v.dir != "" || v.keys != "" {
		return nil, fault.Invalidf("--offline reads where the files are from the database: it goes with neither --dir nor --keys.")
	}
	c, err := recoverable(cmd, v.config, config.Config{Data: v.data})
	if err != nil {
		return nil, err
	}
	return server.VerifyTrails(cmd.Context(), c, v.trail, change)
}

func (v *verify) times() (from, to time.Time, err error) {
	for _, f := range []struct {
		text string
		into *time.Time
	}{{v.since, &from}, {v.until, &to}} {
		if f.text == "" {
			continue
		}
		if *f.into, err = time.Parse(time.RFC3339, f.text); err != nil {
			return from, to, fault.Invalidf("%q is no time: expected one such as 2026-03-02T09:00:00Z.", f.text)
		}
	}
	return from, to, nil
}

// kept reads what a copy elsewhere has kept of the chain.
func (v *verify) kept(ctx context.Context) (*trailfile.Kept, error) {
	if v.against == "" {
		return nil, nil
	}
	st, err := os.Stat(v.against)
	if err != nil {
		return nil, fault.Invalidf("%s cannot be read: %v.", v.against, err)
	}
	var kept *trailfile.Kept
	if st.IsDir() {
		b, err := bucket.Open(v.against)
		if err != nil {
			return nil, err
		}
		defer b.Close()
		if kept, err = trailfile.ReadDigests(ctx, v.against, b); err != nil {
			return nil, err
		}
	} else {
		f, err := os.Open(v.against)
		if err != nil {
			return nil, fault.Invalidf("%s cannot be read: %v.", v.against, err)
		}
		defer f.Close()
		if kept, err = trailfile.ReadLines(v.against, f); err != nil {
			return nil, fault.Invalidf("%s cannot be read: %v.", v.against, err)
		}
	}
	if kept.Len() == 0 {
		return nil, fault.Invalidf("%s has nothing of the audit log's chain.", v.against)
	}
	return kept, nil
}

// report tells what was found. What is wrong is the command's error.
func (v *verify) report(cmd *cobra.Command, r *trailfile.Report) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	rows := make([][]string, len(r.Faults))
	for i, f := range r.Faults {
		event := ""
		if f.Event > 0 {
			event = fmt.Sprint(f.Event)
		}
		rows[i] = []string{f.Kind, event, printable(f.Object), printable(f.Message)}
	}
	if len(rows) > 0 || v.output == "json" {
		if err := v.table(cmd, raw, []string{"FAULT", "EVENT", "FILE", "WHAT"}, rows); err != nil {
			return err
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(cmd.ErrOrStderr(), "note: %s\n", printable(n))
	}
	if r.Gone > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "note: %d files are older than trail.retention, and not there\n", r.Gone)
	}
	found := "no digest was found"
	if r.Digests > 0 {
		found = fmt.Sprintf("%d digests and %d log files of %s, with %d events up to number %d", r.Digests, r.Logs, strings.Join(r.Trails, ", "), r.Events, r.To)
	}
	if len(r.Faults) > 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), found+":")
		return fault.Invalidf("%d faults were found.", len(r.Faults))
	}
	fmt.Fprintln(cmd.ErrOrStderr(), found+": nothing is wrong.")
	return nil
}
