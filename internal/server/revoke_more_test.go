package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sallyport/internal/awsapi"
)

// passwordByLink is alice choosing another password by the link that she was given, in another browser.
func passwordByLink(t *testing.T, h *revokeHouse, _ *held) error {
	out, err := h.call(t.Context(), h.callers["operator"], "sallyport", "ResetUserPassword", fmt.Sprintf(`{"UserId": %q, "Delivery": "LINK"}`, h.names["alice"]))
	if err != nil {
		return err
	}
	link, err := url.Parse(text(out, "Link"))
	if err != nil || !strings.HasPrefix(link.Path, "/link/") {
		return fmt.Errorf("link %q: %w", link, err)
	}
	h.secrets[strings.TrimPrefix(link.Path, "/link/")] = "link"
	if err := h.admin("sallyport", "PutSetting", `{"Name": "mfa.mode", "Value": "off"}`); err != nil {
		return err
	}
	attempt, err := h.form(t.Context(), "", link.Path, nil)
	if err != nil {
		return err
	}
	const password = "A fence of 7 larches."
	h.secrets[password] = "password"
	_, err = h.form(t.Context(), attempt, "/signin/new-password", url.Values{"new_password": {password}, "confirm_password": {password}})
	return errors.Join(err, h.admin("sallyport", "ResetSetting", `{"Name": "mfa.mode"}`))
}

// form submits a form of the way in. It gives the cookie of the attempt to sign in that goes on.
func (h *revokeHouse) form(ctx context.Context, attempt, path string, form url.Values) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.web.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	r.Host = h.cfg.Listen
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(&http.Cookie{Name: "__Host-sallyport-signin", Value: attempt})
	res, body, err := h.do(r)
	if err != nil {
		return "", err
	}
	if res.StatusCode != http.StatusSeeOther {
		return "", fmt.Errorf("POST %s: %s %s", path, res.Status, body)
	}
	for _, c := range res.Cookies() {
		if c.Name == "__Host-sallyport-signin" && c.Value != "" {
			attempt = c.Value
			h.secrets[attempt] = "sign-in cookie"
		}
	}
	return attempt, nil
}

// narrow takes one of two rights away from a permission set and provisions it: alice's role session, given out before, has lost that one
// and kept the other. It is as good as it was.
func narrow(t *testing.T, h *revokeHouse, a *held) error {
	t.Helper()
	provision := func(actions string) error {
		return errors.Join(
			h.admin("sso-admin", "PutInlinePolicyToPermissionSet", fmt.Sprintf(`{"PermissionSetArn": "$View", "InlinePolicy": %q}`,
				fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [%s], "Resource": "*"}]}`, actions))),
			h.admin("sso-admin", "ProvisionPermissionSet", `{"PermissionSetArn": "$View", "TargetType": "ALL_PROVISIONED_ACCOUNTS"}`),
			h.worker.Drain(t.Context()),
		)
	}
	may := func(operation string) bool {
		_, err := h.call(t.Context(), h.callers[a.name+" keys"], "sso-admin", operation, "{}")
		var refused *awsapi.ResponseError
		if err != nil && (!errors.As(err, &refused) || refused.Code != "AccessDeniedException") {
			t.Errorf("%s: %v", operation, err)
		}
		return err == nil
	}
	if err := provision(`"sso:ListPermissionSets", "sso:ListApplications"`); err != nil {
		return err
	}
	if !may("ListPermissionSets") || !may("ListApplications") {
		t.Error("what the permission set allows is refused before")
	}
	if err := provision(`"sso:ListApplications"`); err != nil {
		return err
	}
	defer h.move(0)
	for i := range h.places {
		if on := h.move(i); may("ListPermissionSets") || !may("ListApplications") {
			t.Errorf("on %s the role session has the right that was removed, or lost the other", on)
		}
	}
	return nil
}
