package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/awsapi/sso"
	"sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/clock"
	"sallyport/internal/credential"
	"sallyport/internal/session"
	"sallyport/internal/store"
)

const (
	auditedAccount = "111122223333"
	auditSet       = "SecurityAuditAccess"
	clientSessions = 1000
	connections    = 64
)

// vending measures GetRoleCredentials: 1,000 client sessions over 64 connections, each answer on record before it is given.
// Beside it run a bare handler that returns the same bytes, and one that only group-commits a row of the same size.
func vending(ctx context.Context, b bench) ([]row, error) {
	tokens, err := b.vendingWorld(ctx)
	if err != nil {
		return nil, err
	}
	server, w, err := b.dev(ctx, b.dir)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	base, err := launch(ctx, self, "baseline", b.dir)
	if err != nil {
		return nil, err
	}
	requests, err := w.vendingRequests(ctx, server.addr, tokens)
	if err != nil {
		return nil, err
	}
	get := func(path string) [][]byte {
		return [][]byte{fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, base.addr)}
	}
	rates, err := b.measure(ctx,
		target{name: "bare handler", addr: base.addr, conns: connections, requests: fixed(get("/bare"))},
		target{name: "handler that commits", addr: base.addr, conns: connections, requests: fixed(get("/commit"))},
		target{name: "GetRoleCredentials", addr: server.addr, conns: connections, requests: fixed(requests)},
	)
	if err != nil {
		return nil, err
	}
	if err := server.stop(); err != nil {
		return nil, err
	}
	bare, commit := ratio(rates[2], rates[0]), ratio(rates[2], rates[1])
	what, measured := "GetRoleCredentials per second", summarize(rates[2]).String()
	return []row{
		{what, measured, "bare handler: " + summarize(rates[0]).String(), bare.String(), "0.25", bare.median >= 0.25},
		{what, measured, "handler that commits a row: " + summarize(rates[1]).String(), commit.String(), "0.5", commit.median >= 0.5},
	}, base.stop()
}

// vendingRequests asks for credentials with each of the tokens.
func (w world) vendingRequests(ctx context.Context, addr string, tokens []credential.Secret) (requests [][]byte, err error) {
	for _, t := range tokens {
		r, err := w.client(addr).render(ctx, &sso.Info, "GetRoleCredentials", roleCredentials(t))
		if err != nil {
			return nil, err
		}
		requests = append(requests, r)
	}
	return requests, nil
}

func roleCredentials(token credential.Secret) *sso.GetRoleCredentialsRequest {
	return &sso.GetRoleCredentialsRequest{AccessToken: string(token), AccountId: auditedAccount, RoleName: auditSet}
}

// vendingWorld makes a world with an assignment and many client sessions, and leaves in b.dir what the baselines are made of.
func (b bench) vendingWorld(ctx context.Context) ([]credential.Secret, error) {
	server, w, err := b.dev(ctx, b.dir)
	if err != nil {
		return nil, err
	}
	if err := w.assignAudit(ctx, w.client(server.addr)); err != nil {
		return nil, err
	}
	if err := server.stop(); err != nil {
		return nil, err
	}
	var tokens []credential.Secret
	err = b.offline(ctx, b.dir, func(db *store.DB) error {
		return db.Update(ctx, func(tx *store.Tx) error {
			tokens = nil
			for range clientSessions {
				t, err := signedIn(tx, w.Users[0].ID)
				if err != nil {
					return err
				}
				tokens = append(tokens, t)
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return tokens, b.record(ctx, tokens[0])
}

// record makes one real call and keeps its answer and its audit row.
func (b bench) record(ctx context.Context, token credential.Secret) error {
	server, w, err := b.dev(ctx, b.dir)
	if err != nil {
		return err
	}
	_, body, err := call[*sso.GetRoleCredentialsResponse](ctx, w.client(server.addr), &sso.Info, "GetRoleCredentials", roleCredentials(token))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(b.dir, answerFile), body, 0o600); err != nil {
		return err
	}
	if err := server.stop(); err != nil {
		return err
	}
	return b.offline(ctx, b.dir, func(db *store.DB) error {
		var events []store.SealedEvent
		err := db.View(ctx, func(tx *store.Tx) (err error) {
			events, err = tx.AuditLog(0, 1000)
			return err
		})
		if err != nil {
			return err
		}
		last := events[len(events)-1].JSON
		var e struct{ EventName string }
		if err := json.Unmarshal(last, &e); err != nil || e.EventName != "GetRoleCredentials" {
			return fmt.Errorf("the last audit event is not the call's: %s", last)
		}
		return os.WriteFile(filepath.Join(b.dir, eventFile), last, 0o600)
	})
}

// offline works on the database of a server that does not run.
func (b bench) offline(ctx context.Context, dir string, work func(*store.DB) error) (err error) {
	db, err := store.Open(ctx, filepath.Join(dir, "sallyport.db"), clock.System{})
	if err != nil {
		return err
	}
	err = work(db)
	if closed := db.Close(); err == nil {
		err = closed
	}
	return err
}

// signedIn adds a portal session and a client session below it, as a login leaves them, and returns the client's token.
func signedIn(tx *store.Tx, userID string) (credential.Secret, error) {
	now := tx.Now()
	portal := store.Session{
		ID: arn.NewTimeUUID(now), UserID: userID, CookieHash: arn.NewUUID(), IP: "127.0.0.1",
		CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(8 * time.Hour),
	}
	cli := store.Session{
		ID: arn.NewTimeUUID(now), ParentID: portal.ID, UserID: userID, ClientKey: arn.NewUUID(), ClientName: "bench",
		Scopes: session.AccountAccess, IP: "127.0.0.1", CreatedAt: now, SeenAt: now, ExpiresAt: portal.ExpiresAt,
	}
	token, hash := credential.NewBearer(credential.AccessToken)
	for _, s := range []store.Session{portal, cli} {
		if err := tx.InsertSession(s); err != nil {
			return "", err
		}
	}
	return token, tx.InsertAccessToken(store.AccessToken{Hash: hash, SessionID: cli.ID, IssuedAt: now, ExpiresAt: now.Add(time.Hour)})
}

// assignAudit does what AWS's sample for account assignments does, and waits for the assignment to stand.
func (w world) assignAudit(ctx context.Context, c client) error {
	made, _, err := call[*ssoadmin.CreatePermissionSetResponse](ctx, c, &ssoadmin.Info, "CreatePermissionSet",
		&ssoadmin.CreatePermissionSetRequest{Name: auditSet, InstanceArn: w.InstanceARN, SessionDuration: new("PT4H")})
	if err != nil {
		return err
	}
	set := *made.PermissionSet.PermissionSetArn
	if _, _, err := call[*ssoadmin.AttachManagedPolicyToPermissionSetResponse](ctx, c, &ssoadmin.Info, "AttachManagedPolicyToPermissionSet",
		&ssoadmin.AttachManagedPolicyToPermissionSetRequest{InstanceArn: w.InstanceARN, PermissionSetArn: set, ManagedPolicyArn: "arn:aws:iam::aws:policy/SecurityAudit"}); err != nil {
		return err
	}
	begun, _, err := call[*ssoadmin.CreateAccountAssignmentResponse](ctx, c, &ssoadmin.Info, "CreateAccountAssignment",
		assignment(w.InstanceARN, set, auditedAccount, w.Groups[0].ID))
	if err != nil {
		return err
	}
	status := begun.AccountAssignmentCreationStatus
	for *status.Status == ssoadmin.StatusValuesInProgress && ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
		now, _, err := call[*ssoadmin.DescribeAccountAssignmentCreationStatusResponse](ctx, c, &ssoadmin.Info, "DescribeAccountAssignmentCreationStatus",
			&ssoadmin.DescribeAccountAssignmentCreationStatusRequest{InstanceArn: w.InstanceARN, AccountAssignmentCreationRequestId: *status.RequestId})
		if err != nil {
			return err
		}
		status = now.AccountAssignmentCreationStatus
	}
	if *status.Status != ssoadmin.StatusValuesSucceeded {
		return fmt.Errorf("the assignment ended %s: %s", *status.Status, *status.FailureReason)
	}
	return ctx.Err()
}

// assignment asks for a permission set in an account, for a group.
func assignment(instance, set, account, group string) *ssoadmin.CreateAccountAssignmentRequest {
	return &ssoadmin.CreateAccountAssignmentRequest{
		InstanceArn: instance, PermissionSetArn: set, TargetId: account,
		TargetType: ssoadmin.TargetTypeAwsAccount, PrincipalType: ssoadmin.PrincipalTypeGroup, PrincipalId: group,
	}
}
