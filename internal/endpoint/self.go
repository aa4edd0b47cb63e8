package endpoint

import (
	"fmt"

	"sallyport/internal/arn"
	"sallyport/internal/awsapi"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/policy"
	"sallyport/internal/store"
)

// selfService is the policy of people who prove themselves with a portal access token and so have no role: they may call the
// self operations, each by its name, and nothing else.
const selfService = `{"Version":"2012-10-17","Statement":[{"Sid":"SelfService","Effect":"Allow","Resource":"*","Action":[
	"sallyport:DeleteMyMfaDevice","sallyport:DisownNotice","sallyport:EndMyClient","sallyport:EndMyOtherSessions","sallyport:EndMySession",
	"sallyport:ListMyClients","sallyport:ListMyMfaDevices","sallyport:ListMyNotices","sallyport:ListMySessions","sallyport:RenameMyMfaDevice"]}]}`

// selfServiceName names the policy in decisions and, as it is no hash of a document, in the cache.
const selfServiceName = "SallyportSelfService"

// selfLayers are the policies of a person without a role.
func (a *API) selfLayers() policy.Layers {
	p, err := a.Policies.Load(selfServiceName, func() (string, error) { return selfService, nil })
	if err != nil {
		p = nil // denies
	}
	return policy.Layers{Identity: []policy.Named{{Name: selfServiceName, Policy: p}}}
}

// admit holds a caller against what no policy can give them: to administer, an account that may; to act on their own records,
// being a person who has some. It tells which account owns the instance that the request is about.
func (a *API) admit(tx *store.Tx, m *mount, op *awsapi.Operation[*Call], c *Call, in any) (owner arn.AccountID, err error) {
	switch {
	case op.Self:
		return a.Owner, m.admitSelf(tx, op, c.Caller)
	case m.rule.Administers == nil:
		return a.Owner, nil
	}
	if owner, err = m.rule.Administers(tx, c.Caller.Account, op.Name, in); err != nil {
		return "", fmt.Errorf("hold account against the account rule: %w", err)
	}
	return owner, nil
}

// admitSelf refuses who is no person, and what the operator has taken away: from people with a role too, as anybody with a role
// in any account could otherwise give it back to themselves.
func (m *mount) admitSelf(tx *store.Tx, op *awsapi.Operation[*Call], c credential.Caller) error {
	if c.UserID == "" || c.Kind == credential.IAMUser {
		return fault.Deniedf("This operation acts on the caller's own records; %s is not a person of the directory. "+
			"Sign in at the access portal and call it with the portal's access token or with the credentials of one of your roles.", principal(c))
	}
	if m.rule.SelfDenied == nil {
		return nil
	}
	if err := m.rule.SelfDenied(tx, op.Name); err != nil {
		return fmt.Errorf("hold operation against what people may: %w", err)
	}
	return nil
}

// principal is who a caller is, in words of policies: a person without a role is the user of the directory.
func principal(c credential.Caller) string {
	if c.Kind == credential.Bearer {
		return arn.DirectoryUserARN(c.UserID)
	}
	return c.ARN
}
