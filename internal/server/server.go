// Package server is the composition: it builds everything from the configuration, mounts the handlers, starts the workers
// and stops them in order. It is the only package that knows all others, and it decides nothing that they could.
package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"sallyport/internal/alert"
	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/breach"
	"sallyport/internal/collect"
	"sallyport/internal/config"
	"sallyport/internal/credential"
	"sallyport/internal/emergency"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/keyring"
	"sallyport/internal/login"
	"sallyport/internal/mail"
	"sallyport/internal/objects"
	"sallyport/internal/page"
	"sallyport/internal/passkey"
	"sallyport/internal/policy"
	"sallyport/internal/provision"
	"sallyport/internal/provision/local"
	"sallyport/internal/quota"
	"sallyport/internal/revocation"
	"sallyport/internal/scim"
	"sallyport/internal/scimpush"
	"sallyport/internal/session"
	"sallyport/internal/setting"
	"sallyport/internal/ssf"
	"sallyport/internal/store"
	"sallyport/internal/stream"
	"sallyport/internal/trail"
	"sallyport/internal/vend"
	"sallyport/internal/web"
)

// Server is everything, built.
type Server struct {
	cfg      *config.Config
	log      *slog.Logger
	db       *store.DB
	ring     *keyring.Ring
	instance store.Instance
	made     bool // by this start

	minter    *credential.Minter
	keys      *credential.LongTerm
	used      keyUse
	gate      *revocation.Gate
	sessions  *session.Service
	login     *login.Service
	vendor    *vend.Vendor
	api       *endpoint.API
	pages     *web.Server
	scim      *scim.Server
	signals   *ssf.Server
	worker    *provision.Worker
	revoker   *revocation.Worker
	inspect   *provision.Inspector
	push      *scimpush.Worker
	sinks     *stream.Worker
	trails    *trail.Worker
	objects   *objects.Server
	alerts    *alert.Evaluator
	alarms    *alert.Deliverer
	mail      *mail.Outbox
	emergency *emergency.Service
	breached  *breach.List
	file      *audit.File // nil: off
	registry  *prometheus.Registry

	settings func(context.Context) (setting.Values, error)
	quotas   *quota.Book

	stopping atomic.Bool
}

// open builds a server over an open database. It starts nothing.
func open(ctx context.Context, cfg *config.Config, db *store.DB, plan blueprint) (*Server, error) {
	s := &Server{cfg: cfg, db: db, log: logger(cfg.LogLevel), registry: prometheus.NewRegistry()}
	var err error
	if s.instance, s.made, err = world(ctx, db, cfg, plan); err != nil {
		return nil, err
	}
	if s.ring, err = openRing(ctx, cfg, db); err != nil {
		return nil, err
	}
	if s.minter, err = credential.NewMinter(ctx, db, s.ring); err != nil {
		return nil, fmt.Errorf("make credential minter: %w", err)
	}
	s.keys = credential.NewLongTerm(db, s.ring)
	s.gate = revocation.New(db, revocation.Evaluate)
	s.watchRevocation()
	if err := s.gate.Start(ctx); err != nil {
		return nil, fmt.Errorf("load revocations: %w", err)
	}
	if cfg.AuditFile != "off" {
		if s.file, err = audit.OpenFile(cfg.AuditFile); err != nil {
			return nil, err
		}
	}
	if s.mail, err = openMail(cfg, db, s.ring, s.log); err != nil {
		return nil, err
	}
	if s.breached, err = breach.Open(cfg.BreachedPasswordsFile); err != nil {
		return nil, err
	}
	s.rules()
	if err := db.Update(ctx, alert.Install); err != nil {
		return nil, fmt.Errorf("install alert rules: %w", err)
	}
	s.watchBeginning()
	s.watchDrift()
	s.watchSCIM()
	s.watchPush()
	s.watchSinks()
	s.watchAlerts()
	s.watchEmergency()
	return s, s.protocols()
}

// openRing opens the data keys with the key-encryption key in its file. While there are none, the file may be missing and is
// made: a first start that was cut off leaves nothing that the next one could not use.
func openRing(ctx context.Context, cfg *config.Config, db *store.DB) (*keyring.Ring, error) {
	kek, err := keyring.ReadFile(cfg.KeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		var keys []store.DataKey
		err = db.View(ctx, func(tx *store.Tx) (err error) { keys, err = tx.DataKeys(string(keyring.Records)); return err })
		switch {
		case err != nil:
			return nil, fmt.Errorf("look for data keys: %w", err)
		case len(keys) > 0:
			return nil, fault.Invalidf("The key file %s is missing: put it back, or name it with --key-file. Without it this database cannot be opened.", cfg.KeyFile)
		}
		if err := keyring.CreateFile(cfg.KeyFile); err != nil {
			return nil, fault.Invalidf("The key file %s cannot be made: %v.", cfg.KeyFile, err)
		}
		kek, err = keyring.ReadFile(cfg.KeyFile)
	}
	if err != nil {
		return nil, fault.Invalidf("The key file %s cannot be used: %v.", cfg.KeyFile, err)
	}
	ring, err := keyring.Open(ctx, db, kek)
	if errors.Is(err, keyring.ErrWrongKEK) {
		return nil, fault.Invalidf("The key file %s cannot be used: %v.", cfg.KeyFile, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open keyring: %w", err)
	}
	return ring, nil
}

// remembered are the settings in force, which are read again when one has changed.
func (s *Server) remembered() func(context.Context) (setting.Values, error) {
	memo := revocation.NewMemoOf[struct{}, setting.Values](s.gate, "setting")
	return func(ctx context.Context) (setting.Values, error) {
		return memo.Get(struct{}{}, func() (in setting.Values, err error) {
			err = s.db.View(ctx, func(tx *store.Tx) error { in, err = setting.Load(tx); return err })
			return in, err
		})
	}
}

// rules builds the domain.
func (s *Server) rules() {
	s.settings, s.quotas = s.remembered(), &quota.Book{}
	s.sessions = &session.Service{Clock: s.db, Keys: s.ring, Instance: s.instance.ID, URLs: session.URLs{
		Start: s.instance.StartURL, Portal: s.cfg.URL, Issuer: "https://identitycenter.amazonaws.com/" + string(s.instance.ID),
	}}
	hasher := login.NewHasher()
	s.login = &login.Service{
		DB: s.db, Hasher: hasher, Store: s.instance.StoreID, Owner: s.instance.Owner, Region: s.instance.Region,
		NameKey: s.ring.Current(keyring.Records).Derive("sign-in failures by name"), Sessions: s.sessions, Metrics: login.NewMetrics(s.registry, hasher),
		Mail: s.mail, Letters: mail.Letters{Portal: s.cfg.URL}, Breached: s.breached,
	}
	if party, err := passkey.New(s.cfg.URL, "Sallyport"); err == nil {
		s.login.Party = party // otherwise passkeys are not offered: browsers refuse them at addresses without a name
	}
	s.vendor = &vend.Vendor{
		DB: s.db, Minter: s.minter, Instance: s.instance.ID, Ways: revocation.NewMemo[vend.Way, vend.Reach](s.gate), Portal: s.cfg.URL, Settings: s.settings,
	}
	s.worker = &provision.Worker{
		DB: s.db, Backends: map[string]provision.Provisioner{"local": &local.Provisioner{DB: s.db, News: s.gate.Bound()}}, Owner: arn.NewUUID(), Log: s.log,
		Settings: s.settings, Quotas: s.quotas,
	}
	s.revoker = s.newRevoker()
	s.emergency = s.newEmergency()
	s.inspect = &provision.Inspector{DB: s.db, Backends: s.worker.Backends, Owner: s.worker.Owner, Log: s.log, Settings: s.settings}
	s.sinks = &stream.Worker{DB: s.db, Keys: s.ring, Owner: s.worker.Owner, Log: s.log}
	s.openAlerts()
	s.trails = s.newTrails()
	s.push = &scimpush.Worker{DB: s.db, Keys: s.ring, Store: s.instance.StoreID, Owner: s.worker.Owner, Log: s.log}
}

// policyCache bounds the memory of compiled policies. A large managed policy takes about half a megabyte.
const policyCache = 16 << 20

// protocols mounts what clients speak.
func (s *Server) protocols() error {
	codec, err := page.NewCodec(s.ring.Current(keyring.Pages).Derive("page tokens"))
	if err != nil {
		return err
	}
	base, err := url.Parse(s.cfg.URL)
	if err != nil {
		return err
	}
	s.api = &endpoint.API{
		DB: s.db, Clock: s.db, Region: s.instance.Region, Owner: s.instance.Owner, StoreID: s.instance.StoreID, Pages: codec,
		Log: s.log, Metrics: endpoint.NewMetrics(s.registry), Recorder: endpoint.NewRecorder(s.db, s.log), Policies: policy.NewCache(policyCache),
		Key: s.key, Bearer: s.sessions.Authenticate, Gate: s.stands, Ready: s.gate.Ready, Settings: s.settings, Quotas: s.quotas,
		Bearers: revocation.NewMemo[[sha256.Size]byte, credential.Caller](s.gate),
	}
	s.openSignals()
	for _, m := range s.services() {
		s.api.Mount(m.operations, m.rule, m.regions...)
	}
	s.objects = s.newObjects()
	s.scim = &scim.Server{
		DB: s.db, Login: s.login, Owner: s.instance.Owner, Region: s.instance.Region, URL: strings.TrimSuffix(s.cfg.URL, "/"), Pages: codec, Log: s.log, Limits: s.limits, Settings: s.settings,
		Record: s.api.Recorder.Add, Origin: func(r *http.Request) (string, string) { o := endpoint.SourceOf(r); return o.IP, o.UserAgent },
	}
	s.pages = &web.Server{
		DB: s.db, Login: s.login, Sessions: s.sessions, Vendor: s.vendor, Instance: s.instance.ID, URL: base,
		StartURL: s.instance.StartURL, Record: s.api.Recorder.Add, Log: s.log, Found: s.makeFirst, Emergency: s.emergency,
	}
	return nil
}

// limits are those that hold now.
func (s *Server) limits(ctx context.Context) (quota.Limits, error) {
	in, err := s.settings(ctx)
	return s.quotas.In(in.Mode()), err
}

// handler tells APIs, probes and pages apart (wire-protocols §2).
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	s.probes(mux)
	signals := s.signals.Handler()
	mux.Handle(ssf.Base, signals)
	mux.Handle(collect.Base, &collect.Collector{DB: s.db, Keys: s.ring, Log: s.log, Region: s.instance.Region, Owner: s.instance.Owner})
	mux.Handle(ssf.WellKnown, signals)
	pages := s.pages.Handler()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if s.api.Serves(r) {
			s.api.ServeHTTP(w, r)
			return
		}
		s.informed(pages).ServeHTTP(w, r)
	})
	return s.knownHost(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.objects.Serves(r) {
			s.objects.ServeHTTP(w, r)
			return
		}
		if s.scim.Serves(r) { // before the mux, which would redirect clients that write a slash twice (case S11)
			s.informed(s.scim).ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
}

// knownHost refuses names that are not ours: a page elsewhere must not reach a server on this machine by rebinding its name.
// What looks after the server's health asks by whatever name it has for the machine, and learns nothing but that it is up;
// metrics are also asked for by address, which no page can rebind.
func (s *Server) knownHost(next http.Handler) http.Handler {
	base, _ := url.Parse(s.cfg.URL)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		host = strings.Trim(host, "[]")
		_, noAddress := netip.ParseAddr(host)
		probe := health(r) || r.URL.Path == "/metrics" && noAddress == nil
		if r.Host != base.Host && !config.Loopback(host) && !s.cfg.UnsafeListen && !probe {
			http.Error(w, "This server is not known by that name.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func logger(level string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: l}))
}
