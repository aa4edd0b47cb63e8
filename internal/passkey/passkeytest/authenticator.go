// Package passkeytest is a browser with an authenticator, in software: what navigator.credentials does with the options of
// package passkey, for tests. Knobs make it misbehave.
package passkeytest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
)

// Authenticator holds ES256 keys in memory. Its knobs are set between calls; the calls themselves may be concurrent.
type Authenticator struct {
	Origin       string // that the browser says it is at, whatever the RP id
	UserVerified bool   // asks for a PIN, fingerprint or face; without it, options that require it find no key
	Synced       bool   // new keys may be and are backed up; the counter stays 0
	NotResident  bool   // new keys need allowCredentials

	// What no honest browser or authenticator does.
	CounterBack  bool   // the counter goes back by one instead of up
	Absent       bool   // answers without the user's presence
	Unverified   bool   // answers without user verification though it is required
	Again        bool   // makes a key though one of excludeCredentials is here
	RPID         string // signs for this RP id instead of the options'
	Challenge    string // signs this challenge instead of the options'
	ImpostorKeys bool   // signs with another key than the registered one

	mu   sync.Mutex
	keys []*key
}

// key is one credential.
type key struct {
	id, handle []byte
	rpID       string
	private    *ecdsa.PrivateKey
	resident   bool
	synced     bool
	count      uint32
}

// New returns an authenticator without keys, with user verification, in a browser at an origin.
func New(origin string) *Authenticator { return &Authenticator{Origin: origin, UserVerified: true} }

// descriptor is a PublicKeyCredentialDescriptorJSON.
type descriptor struct {
	Type string `json:"type"`
	ID   Bytes  `json:"id"`
}

// creation is a PublicKeyCredentialCreationOptionsJSON.
type creation struct {
	RP struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"rp"`
	User struct {
		ID          Bytes  `json:"id"`
		Name        string `json:"name"`
		DisplayName string `json:"displayName"`
	} `json:"user"`
	Challenge  Bytes        `json:"challenge"`
	Parameters []parameter  `json:"pubKeyCredParams"`
	Exclude    []descriptor `json:"excludeCredentials"`
	Selection  struct {
		ResidentKey      string `json:"residentKey"`
		UserVerification string `json:"userVerification"`
	} `json:"authenticatorSelection"`
}

type parameter struct {
	Type string `json:"type"`
	Alg  int    `json:"alg"`
}

// request is a PublicKeyCredentialRequestOptionsJSON.
type request struct {
	RPID             string       `json:"rpId"`
	Challenge        Bytes        `json:"challenge"`
	Allow            []descriptor `json:"allowCredentials"`
	UserVerification string       `json:"userVerification"`
}

// Create makes a key and returns credential.toJSON(); nil when the authenticator refuses, since it holds an excluded key or
// cannot verify the user. It panics on options that a browser could not read.
func (a *Authenticator) Create(options json.RawMessage) (response []byte) {
	var o creation
	read(options, &o)
	es256 := slices.Contains(o.Parameters, parameter{"public-key", -7})
	if o.RP.ID == "" || o.RP.Name == "" || o.User.Name == "" || len(o.User.ID) == 0 || len(o.Challenge) < 16 || !es256 {
		panic(fmt.Sprintf("options lack something: %s", options))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.find(o.RP.ID, o.Exclude) != nil && !a.Again || !a.verifies(o.Selection.UserVerification) {
		return nil
	}
	k := &key{
		id: make([]byte, 32), handle: o.User.ID, rpID: o.RP.ID, private: newKey(), synced: a.Synced,
		resident: !a.NotResident && o.Selection.ResidentKey != "discouraged",
	}
	_, _ = rand.Read(k.id)
	if !k.synced {
		k.count = 1
	}
	a.keys = append(a.keys, k)
	return a.created(k, o.Challenge)
}

// Get signs with the newest key that fits and returns credential.toJSON(); nil when none fits, or the user cannot be verified
// and has to be. It panics on options that a browser could not read.
func (a *Authenticator) Get(options json.RawMessage) (response []byte) {
	var o request
	read(options, &o)
	if o.RPID == "" || len(o.Challenge) < 16 {
		panic(fmt.Sprintf("options lack something: %s", options))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	k := a.find(o.RPID, o.Allow)
	if len(o.Allow) == 0 {
		k = a.resident(o.RPID)
	}
	if k == nil || !a.verifies(o.UserVerification) {
		return nil
	}
	switch {
	case k.synced: // has no counter
	case a.CounterBack:
		k.count = max(k.count, 1) - 1
	default:
		k.count++
	}
	return a.signed(k, o.Challenge)
}

func (a *Authenticator) verifies(requirement string) bool {
	return a.UserVerified || a.Unverified || requirement != "required"
}

func (a *Authenticator) find(rpID string, of []descriptor) *key {
	for _, k := range slices.Backward(a.keys) {
		if k.rpID == rpID && slices.ContainsFunc(of, func(d descriptor) bool { return d.Type == "public-key" && bytes.Equal(d.ID, k.id) }) {
			return k
		}
	}
	return nil
}

func (a *Authenticator) resident(rpID string) *key {
	for _, k := range slices.Backward(a.keys) {
		if k.rpID == rpID && k.resident {
			return k
		}
	}
	return nil
}

func read(options json.RawMessage, into any) {
	if err := json.Unmarshal(options, into); err != nil {
		panic(fmt.Sprintf("options are no JSON of theirs: %v: %s", err, options))
	}
}

func newKey() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
}
