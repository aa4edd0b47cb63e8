package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"sallyport/internal/clock"
	"sallyport/internal/fault"
)

// pgConns bounds each of the two pools of a node, which has one connection more to listen for changes: with the default of 100
// connections, a server bears three nodes.
const pgConns = 15

// oldestPostgres is the first release that is supported, as the server writes it: 15.0.
const oldestPostgres = 150000

func openPostgres(ctx context.Context, db *DB, dsn string, wrap wrapper) (_ *postgres, err error) {
	cfg, err := parsePostgres(dsn)
	if err != nil {
		return nil, err
	}
	setup := sql.OpenDB(wrap(stdlib.GetConnector(*cfg))) // without the time limits: a migration may take long
	defer func() { err = errors.Join(err, setup.Close()) }()
	setup.SetMaxOpenConns(2) // goose keeps its lock on one and works on the other
	if err := checkServer(ctx, setup); err != nil {
		return nil, unreachable(cfg, err)
	}
	if err := migrate(ctx, goose.DialectPostgres, setup); err != nil {
		return nil, err
	}
	p := &postgres{db: db, cfg: cfg, node: newID(db.Now()), changed: newBell(), crowd: newCrowd(), recorder: newRecorder()}
	p.reads = pgPool(cfg, wrap, nil)
	p.writes = pgPool(cfg, wrap, map[string]string{"enable_seqscan": "off"})
	err = p.view(ctx, func(tx *Tx) error { _, err := p.state(tx); return err }) // sets the clock
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ask for time: %w", err), p.close())
	}
	return p, nil
}

// parsePostgres reads the URL and refuses what is unsafe.
func parsePostgres(dsn string) (*pgx.ConnConfig, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fault.Invalidf("The database URL cannot be read: expected postgres://user@host:5432/database?sslmode=verify-full.")
	}
	if cfg.DefaultQueryExecMode == pgx.QueryExecModeSimpleProtocol {
		return nil, fault.Invalidf("The database URL asks for the simple protocol, which is open to SQL injection: remove default_query_exec_mode.")
	}
	hosts := []*pgconn.FallbackConfig{{Host: cfg.Host, TLSConfig: cfg.TLSConfig}}
	for _, h := range append(hosts, cfg.Fallbacks...) { // sslmode=prefer is a fall-back without TLS
		if h.TLSConfig == nil && !loopback(h.Host) {
			return nil, fault.Invalidf("The connection to the database at %s would not be encrypted: add sslmode=verify-full to its URL.", h.Host)
		}
	}
	// Of several hosts, only the one that takes changes: a standby lags, and so would revocation.
	cfg.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = maxTransaction
	}
	return cfg, nil
}

func loopback(host string) bool {
	return strings.HasPrefix(host, "/") || host == "localhost" || net.ParseIP(host).IsLoopback()
}

// pgPool opens connections on which the server, too, ends what takes too long, in case this node cannot any more.
func pgPool(cfg *pgx.ConnConfig, wrap wrapper, params map[string]string) *sql.DB {
	cfg = cfg.Copy()
	limit := strconv.FormatInt(maxTransaction.Milliseconds(), 10)
	cfg.RuntimeParams["statement_timeout"] = limit
	cfg.RuntimeParams["idle_in_transaction_session_timeout"] = limit
	for k, v := range params {
		cfg.RuntimeParams[k] = v
	}
	db := sql.OpenDB(wrap(stdlib.GetConnector(*cfg)))
	db.SetMaxOpenConns(pgConns)
	db.SetMaxIdleConns(pgConns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db
}

const (
	// postgres: SQLite comes with the program.
	serverVersion query = `SELECT current_setting('server_version_num')::int`
	// postgres: as above.
	serverTraits query = `SELECT datcollate, datlocprovider::text, pg_encoding_to_char(encoding), current_setting('synchronous_commit') FROM pg_database WHERE datname = current_database()`
	// postgres: an SQLite file has a mark of ours.
	foreignTables query = `SELECT count(*) FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND to_regclass('goose_db_version') IS NULL AND c.relname NOT LIKE 'goose%'`
)

// checkServer says what is wrong with the server or the database, if anything is.
func checkServer(ctx context.Context, db *sql.DB) error {
	var version, foreign int
	if err := db.QueryRowContext(ctx, string(serverVersion)).Scan(&version); err != nil {
		return fmt.Errorf("ask for version: %w", err)
	}
	if err := tooOld(version); err != nil {
		return err
	}
	var collation, provider, encoding, flush string
	if err := db.QueryRowContext(ctx, string(serverTraits)).Scan(&collation, &provider, &encoding, &flush); err != nil {
		return fmt.Errorf("ask for collation: %w", err)
	}
	// Pages are cut by the order of bytes. The builtin provider (b, from 17 on) has only locales that sort so.
	if provider != "b" && (provider != "c" || collation != "C" && collation != "POSIX") || encoding != "UTF8" {
		return fault.Invalidf("The database has collation %s and encoding %s: make one with createdb --template=template0 --locale=C --encoding=UTF8.", collation, encoding)
	}
	if flush == "off" {
		return fault.Invalidf("The database answers before a change is durable (synchronous_commit is off): switch it on for this database.")
	}
	if err := db.QueryRowContext(ctx, string(foreignTables)).Scan(&foreign); err != nil {
		return fmt.Errorf("look for tables: %w", err)
	}
	if foreign > 0 {
		return fault.Invalidf("The database holds the tables of another program: give Sallyport a database of its own.")
	}
	return nil
}

// tooOld says so of a server's version.
func tooOld(version int) error {
	if version < oldestPostgres {
		return fault.Invalidf("The database server is PostgreSQL %d: Sallyport needs 15 or newer.", version/10000)
	}
	return nil
}

// unreachable makes one sentence of an error of the first connection. Faults say enough already.
func unreachable(cfg *pgx.ConnConfig, err error) error {
	if fault.As(err) != nil {
		return err
	}
	where := net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port)))
	var pg *pgconn.PgError
	var op *net.OpError
	var dns *net.DNSError
	switch {
	case errors.As(err, &pg):
		return fault.Invalidf("The database server at %s refuses: %s.", where, pg.Message)
	case errors.As(err, &dns):
		return fault.Invalidf("The database server at %s cannot be found: %s.", where, dns.Err)
	case errors.As(err, &op):
		return fault.Invalidf("The database server at %s cannot be reached: %v.", where, op.Err)
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Invalidf("The database server at %s does not answer.", where)
	}
	return fault.Invalidf("The database server at %s cannot be used: %v.", where, err)
}

// followServer moves the DB's time to the server's, halfway between before and after. A clock that is not the machine's
// is a test's, and stays as it is.
func (db *DB) followServer(before, after, server time.Time) {
	if _, machine := db.clock.(clock.Machine); machine {
		db.offset.Store(int64(server.Sub(before.Add(after.Sub(before) / 2))))
	}
}
