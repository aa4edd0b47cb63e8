package pgtest

import (
	"fmt"
	"net/url"
	"testing"
	"time"
)

// follow makes a standby of the cluster whose socket is in $4, which shows what that one shows after $5, and runs it as supervise
// does.
const follow = `
trap '' HUP INT TERM
bin=$1 dir=$2 owner=$3
"$bin/pg_basebackup" --host="$4" --username="$owner" --pgdata="$dir/data" --write-recovery-conf --wal-method=stream --checkpoint=fast --no-sync &&
"$bin/pg_ctl" start --wait --timeout=120 --pgdata="$dir/data" --log="$dir/log" \
	--options="-c listen_addresses='' -c unix_socket_directories='$dir' -c max_connections=400 -c recovery_min_apply_delay=$5" && echo READY ||
cat "$dir/log"
exec >/dev/null 2>&1
cat
"$bin/pg_ctl" stop --mode=immediate --pgdata="$dir/data"
cd / && rm -rf "$dir"
`

// NewStandby makes a standby of the cluster that a database of NewDatabase is in, which shows its changes after a delay, and returns
// the URL of that database there. It stops when the test ends.
func NewStandby(tb testing.TB, dsn string, delay time.Duration) string {
	tb.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	c, err := startSupervised(follow, u.Query().Get("host"), fmt.Sprint(delay.Milliseconds(), "ms"))
	if err != nil {
		tb.Fatalf("start standby: %v", err)
	}
	tb.Cleanup(func() {
		if err := c.alive.Close(); err != nil {
			tb.Error(err)
		}
	})
	u.RawQuery = url.Values{"host": {c.dir}}.Encode()
	return u.String()
}
