package server

import (
	"crypto/x509"
	"log/slog"
	"os"

	"sallyport/internal/arn"
	"sallyport/internal/config"
	"sallyport/internal/fault"
	"sallyport/internal/keyring"
	"sallyport/internal/mail"
	"sallyport/internal/store"
)

// openMail is the outbox, with the mail server that is configured. Without one, operators hand links over themselves.
func openMail(cfg *config.Config, db *store.DB, ring *keyring.Ring, log *slog.Logger) (*mail.Outbox, error) {
	out := &mail.Outbox{DB: db, Keys: ring, Log: log, Owner: arn.NewUUID()}
	if cfg.SMTPAddress == "" {
		return out, nil
	}
	if _, err := cfg.SMTPPassword(); err != nil { // now rather than at the first letter
		return nil, err
	}
	out.Server = &mail.Server{Address: cfg.SMTPAddress, From: cfg.SMTPFrom, UserName: cfg.SMTPUsername, Password: cfg.SMTPPassword, TLS: cfg.SMTPTLS}
	if cfg.SMTPCAFile == "" {
		return out, nil
	}
	pem, err := os.ReadFile(cfg.SMTPCAFile)
	if err != nil {
		return nil, fault.Invalidf("The mail server's authority cannot be read: %v.", err)
	}
	out.Server.Roots = x509.NewCertPool()
	if !out.Server.Roots.AppendCertsFromPEM(pem) {
		return nil, fault.Invalidf("The file %s holds no certificate in PEM form.", cfg.SMTPCAFile)
	}
	return out, nil
}
