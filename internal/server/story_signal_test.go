package server

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"sallyport/internal/awsapi"
	"sallyport/internal/secevent"
)

// transmitter is an identity provider elsewhere, which publishes one key.
type transmitter struct {
	key      secevent.Key
	issuer   string
	endpoint string // of ours, for its signals
	token    string
}

// transmitterCommand lets the signals of a transmitter act: transmitter NAME.
func (s *story) transmitterCommand(ts *testscript.TestScript, args []string) error {
	seed := make([]byte, 32)
	_, _ = rand.Read(seed)
	key, err := secevent.NewKey("1", func(string) []byte { return seed })
	if err != nil {
		return err
	}
	set, err := secevent.PublicKeys([]secevent.Key{key})
	if err != nil {
		return err
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) }))
	ts.Defer(web.Close)
	in, err := json.Marshal(map[string]string{"Name": args[0], "Issuer": web.URL, "Audience": "us", "Delivery": "PUSH", "JwksUri": web.URL})
	if err != nil {
		return err
	}
	out, err := s.call(context.Background(), s.callers["operator"], "sallyport", "CreateSignalReceiver", string(in))
	if err != nil {
		return err
	}
	m := out.(map[string]any)
	t := transmitter{key, web.URL, text(m["SignalReceiver"], "Endpoint"), text(m, "BearerToken")}
	s.secrets[t.token] = "token of a transmitter"
	s.transmitters[args[0]] = t
	s.bind(ts, args[0], text(m["SignalReceiver"], "ReceiverId"))
	s.bind(ts, args[0]+"-issuer", web.URL)
	return nil
}

// signalCommand pushes a signal about a person: signal TRANSMITTER EVENT USER.
func (s *story) signalCommand(_ *testscript.TestScript, args []string) error {
	t, kind := s.transmitters[args[0]], ""
	for _, k := range []string{secevent.SessionRevoked, secevent.CredentialChange, secevent.AccountDisabled} {
		if strings.HasSuffix(k, "/"+args[1]) {
			kind = k
		}
	}
	s.signals++
	set, err := t.key.Sign(map[string]any{
		"iss": t.issuer, "aud": "us", "jti": fmt.Sprintf("signal-%d", s.signals), "iat": s.clock.Now().Unix(),
		"sub_id": map[string]string{"format": "email", "email": args[2] + "@sallyport.invalid"}, "events": map[string]any{kind: map[string]any{}},
	})
	if err != nil {
		return err
	}
	r, err := http.NewRequest(http.MethodPost, t.endpoint, strings.NewReader(set))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+t.token)
	r.Header.Set("Content-Type", "application/secevent+jwt")
	resp, err := s.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode == http.StatusAccepted {
		return err
	}
	var p secevent.Problem
	if err := json.Unmarshal(body, &p); err != nil {
		return err
	}
	return &awsapi.ResponseError{Code: p.Code, Status: resp.StatusCode, Message: p.Description}
}
