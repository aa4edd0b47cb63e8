package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

const deviceLabel = "device code"

// DeviceStart is the answer to a client that cannot open a browser itself (RFC 8628 §3.2).
type DeviceStart struct {
	DeviceCode              credential.Secret
	UserCode                string
	VerificationURI         string
	VerificationURIComplete string
	ExpiresIn               time.Duration
	Interval                time.Duration
}

// DeviceRequest is what a person is shown before they decide. All of it is the client's word, but for when and where
// from the request came.
type DeviceRequest struct {
	ClientName string
	ClientKey  string // names the registration
	UserCode   string
	Scopes     []string
	StartedAt  time.Time
	Origin
}

// StartDevice begins a device authorization. No row is written: the device code holds all of it.
func (s *Service) StartDevice(clientID, clientSecret, startURL string, from Origin) (DeviceStart, error) {
	if err := s.admit(from); err != nil {
		return DeviceStart{}, err
	}
	c, err := s.authenticate(clientID, clientSecret)
	if err != nil {
		return DeviceStart{}, err
	}
	if !c.may(DeviceGrant) {
		return DeviceStart{}, refuse(unauthorizedClient, "The client has not registered for device authorization.")
	}
	if !s.URLs.AcceptsStartURL(startURL) {
		return DeviceStart{}, refuse(invalidRequest, "The start URL %q is not that of this instance.", clip(startURL))
	}
	now := s.Clock.Now()
	d := device{c.Key, c.Name, newUserCode(), clip(from.IP), cut(from.UserAgent), now.Unix()}
	plain, err := json.Marshal(d)
	if err != nil {
		return DeviceStart{}, fmt.Errorf("encode device code: %w", err)
	}
	code := s.Keys.SealBlob(deviceLabel, string(s.Instance), plain)
	if s.pending.add(credential.HashBearer(code), d, now) == nil {
		return DeviceStart{}, refuse(slowDown, "Too many sign-ins wait for approval from your address. Finish some, or wait %v.", deviceLife)
	}
	page := s.URLs.Portal + "/device"
	return DeviceStart{
		DeviceCode: credential.Secret(code), UserCode: d.UserCode,
		VerificationURI: page, VerificationURIComplete: page + "?" + url.Values{"user_code": {d.UserCode}}.Encode(),
		ExpiresIn: deviceLife, Interval: pollInterval,
	}, nil
}

// openDevice reads a client's device code and counts the poll.
func (s *Service) openDevice(c client, code string) (hash string, err error) {
	plain, err := s.Keys.OpenBlob(deviceLabel, string(s.Instance), code)
	if err != nil {
		return "", refuse(invalidGrant, "The device code is not one of this instance.")
	}
	var d device
	if err := json.Unmarshal(plain, &d); err != nil {
		return "", fmt.Errorf("decode device code: %w", err)
	}
	now := s.Clock.Now()
	if d.Key != c.Key {
		return "", refuse(invalidGrant, "The device code belongs to another client.")
	}
	if d.over(now) {
		return "", refuse(expiredToken, "The device code has expired. Start again.")
	}
	hash = credential.HashBearer(code)
	switch e := s.pending.add(hash, d, now); {
	case e == nil:
		return "", refuse(slowDown, "Too many sign-ins wait for approval from your address.")
	case s.pending.clashes(e):
		return "", refuse(expiredToken, "The user code is taken. Start again.")
	case !e.polls.AllowN(now, 1):
		return "", refuse(slowDown, "Wait %v between two polls.", pollInterval)
	}
	return hash, nil
}

// PendingDevice is the authorization that a user code stands for, looked up by the person behind a portal session; a Conflict when
// somebody has decided on it, so that nobody is asked in vain.
// Failed look-ups are counted, for the session and for the address, and bounded (RFC 8628 §5.1, case S31).
func (s *Service) PendingDevice(tx *store.Tx, portal store.Session, userCode string, from Origin) (DeviceRequest, error) {
	d, hash, err := s.findDevice(portal, userCode, from)
	if err != nil {
		return DeviceRequest{}, err
	}
	switch _, err := tx.DeviceDecision(hash); {
	case err == nil:
		return DeviceRequest{}, decided()
	case !errors.Is(err, store.ErrNotFound):
		return DeviceRequest{}, fmt.Errorf("load device decision: %w", err)
	}
	return DeviceRequest{d.Name, d.Key, d.UserCode, []string{AccountAccess}, d.started(), Origin{d.IP, d.UserAgent}}, nil
}

func decided() error {
	return fault.Conflictf("This code has been decided on already. If it was not you, sign out everywhere and tell your administrator.")
}

// ApproveDevice lets the client that shows the user code act for the person behind the portal session.
func (s *Service) ApproveDevice(tx *store.Tx, portal store.Session, userCode string, from Origin) error {
	return s.decideDevice(tx, portal, userCode, from, true)
}

// DenyDevice refuses the client that shows the user code. It is told once.
func (s *Service) DenyDevice(tx *store.Tx, portal store.Session, userCode string, from Origin) error {
	return s.decideDevice(tx, portal, userCode, from, false)
}

func (s *Service) decideDevice(tx *store.Tx, portal store.Session, userCode string, from Origin, approved bool) error {
	d, hash, err := s.findDevice(portal, userCode, from)
	if err != nil {
		return err
	}
	if approved {
		if err := allowed(tx, d.Key); err != nil {
			return err
		}
	}
	err = tx.InsertDeviceDecision(store.DeviceDecision{CodeHash: hash, PortalID: portal.ID, Approved: approved, ExpiresAt: d.expires()})
	if errors.Is(err, store.ErrExists) {
		return decided()
	}
	if err != nil {
		return fmt.Errorf("add device decision: %w", err)
	}
	return nil
}

func (s *Service) findDevice(portal store.Session, userCode string, from Origin) (device, string, error) {
	now := s.Clock.Now()
	if s.tries.blocked(portal.ID, from, now) {
		return device{}, "", fault.Newf(fault.Throttled, "Too many codes were tried. Wait a minute, then enter the code that your device shows.")
	}
	if code, ok := parseUserCode(userCode); ok {
		if d, hash, ok := s.pending.find(code, now); ok {
			return d, hash, nil
		}
	}
	s.tries.failed(portal.ID, from, now)
	return device{}, "", fault.Newf(fault.NotFound, "No sign-in waits for this code. Compare it with what your device shows; if it is older than %d minutes, start again there.", deviceLife/time.Minute)
}
