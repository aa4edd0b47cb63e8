package format

import (
	"net/netip"
	"strings"
)

// endpoint is where the request came from: an address, or the name of the service that acted by itself.
func (r record) endpoint() obj {
	from := r.text("sourceIPAddress")
	if isIP(from) {
		return obj{"ip": from}
	}
	return obj{"svc_name": orUnknown(from)}
}

func isIP(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// api is the call, with its parameters and its answer as the event has them: secrets were taken out when it was written.
func (r record) api() obj {
	api := obj{"operation": orUnknown(r.name()), "service": obj{"name": orUnknown(r.source())}}
	request := obj{"uid": orUnknown(r.text("requestID", "eventID"))}
	if data := r.value("requestParameters"); data != nil {
		request["data"] = data
	}
	api["request"] = request
	response := obj{}
	put(response, "error", r.text("errorCode"))
	put(response, "error_message", r.text("errorMessage"))
	if data := r.value("responseElements"); data != nil {
		response["data"] = data
	}
	if len(response) > 0 {
		api["response"] = response
	}
	return api
}

// addSubject adds whom or what it was done to, as the class wants it.
func (r record) addSubject(out obj, found rule, subject string) {
	switch found.class {
	case authentication:
		out["user"] = r.signingIn(subject)
		out["service"] = obj{"name": orUnknown(r.source())}
		out["is_remote"] = isIP(r.text("sourceIPAddress"))
		r.addFactors(out)
	case accountChange:
		out["user"] = r.account(subject)
		r.addPolicies(out)
	case userAccess:
		out["user"] = obj{"uid": subject}
		out["privileges"] = r.privileges()
		if on := r.grantedOn(); on != nil {
			out["resources"] = []obj{on}
		}
	case groupChange:
		out["group"] = obj{"uid": subject}
		if member := r.text("requestParameters.memberId.userId", "serviceEventDetails.memberId"); member != "" {
			out["user"] = obj{"uid": member}
		}
		if found.activity <= 2 {
			out["privileges"] = r.privileges()
			if on := r.grantedOn(); on != nil {
				out["resource"] = on
			}
		}
	default:
		if resources := r.resources(); len(resources) > 0 {
			out["resources"] = resources
		}
	}
}

// signingIn is who signs in: who he says he is, where nobody is known.
func (r record) signingIn(subject string) obj {
	user := obj{}
	put(user, "uid", r.text(caller...))
	put(user, "name", r.text("additionalEventData.UserName", "userIdentity.userName"))
	if len(user) == 0 {
		user["name"] = subject
	}
	return user
}

// account is the account that was changed: a person's, or the role that a permission set becomes.
func (r record) account(subject string) obj {
	user := obj{"uid": subject}
	if strings.Contains(subject, ":permissionSet/") {
		user["type"], user["type_id"] = "Permission Set", other
	}
	return user
}

// addPolicies adds the policy that was attached to a permission set, or detached.
func (r record) addPolicies(out obj) {
	const in = "requestParameters."
	policy := obj{}
	put(policy, "uid", r.text(in+"managedPolicyArn"))
	put(policy, "name", r.text(in+"customerManagedPolicyReference.name"))
	switch {
	case strings.Contains(r.name(), "InlinePolicy"):
		policy["type"] = "inline"
	case len(policy) > 0:
		policy["type"] = "managed"
	}
	if len(policy) > 0 {
		out["policies"] = []obj{policy}
	}
}

// privileges are what was granted or taken back.
func (r record) privileges() []string { return []string{orUnknown(r.text(granted...))} }

// grantedOn is what it was granted on, nil if the event does not say.
func (r record) grantedOn() obj {
	on := r.text(grantedOn...)
	if on == "" {
		return nil
	}
	return obj{"uid": on, "type": orUnknown(r.text("requestParameters.targetType", "serviceEventDetails.targetType"))}
}

// factorTypes are OCSF's types of factor by CloudTrail's names of credentials (behaviour reference §10.4).
var factorTypes = map[string]struct {
	id      int
	caption string
}{
	"PASSWORD": {11, "Password"}, "TOTP": {7, "OTP"}, "RESYNC_TOTP": {7, "OTP"}, "WEBAUTHN": {10, "WebAuthn"}, "EMAIL_OTP": {8, "Email"},
}

// maxList bounds how many of a list are translated; all of them are in the event.
const maxList = 50

func (r record) addFactors(out obj) {
	var factors []obj
	for name := range strings.SplitSeq(r.text("additionalEventData.CredentialType"), ",") {
		if t, ok := factorTypes[name]; ok && len(factors) < maxList {
			f := obj{"factor_type_id": t.id, "factor_type": t.caption}
			if t.id == 7 {
				f["is_totp"] = true
			}
			factors = append(factors, f)
		}
	}
	if len(factors) > 0 {
		out["auth_factors"] = factors
		out["is_mfa"] = len(factors) > 1
	}
}

// resources are what the event says that it touched.
func (r record) resources() []obj {
	list, _ := r.value("resources").([]any)
	var out []obj
	for _, item := range list[:min(len(list), maxList)] {
		one := record{m: obj{"r": item}}
		res := obj{}
		put(res, "uid", one.text("r.ARN"))
		put(res, "type", one.text("r.type"))
		if uid := one.text("r.accountId"); uid != "" {
			res["owner"] = obj{"account": account(uid)}
		}
		if res["uid"] != nil {
			out = append(out, res)
		}
	}
	return out
}

// observables are what a search begins with.
func (r record) observables() []obj {
	list := []obj{}
	add := func(id int, kind, name, value string) {
		if value != "" {
			list = append(list, obj{"type_id": id, "type": kind, "name": name, "value": value})
		}
	}
	if ip := r.text("sourceIPAddress"); isIP(ip) {
		add(2, "IP Address", "src_endpoint.ip", ip)
	}
	add(31, "User: uid", "actor.user.uid", r.text("userIdentity.onBehalfOf.userId", "userIdentity.principalId", "userIdentity.arn"))
	add(4, "User Name", "actor.user.name", r.text("userIdentity.userName", "additionalEventData.UserName"))
	add(19, "User Credential ID", "actor.user.programmatic_credentials.uid", r.text("userIdentity.accessKeyId"))
	add(16, "HTTP User-Agent", "http_request.user_agent", r.text("userAgent"))
	add(35, "Account: uid", "cloud.account.uid", r.text("recipientAccountId"))
	return list
}

// unmapped is the chain's head and what the schema has no place for.
func (r record) unmapped() obj {
	out := obj{"sallyport": obj{"seq": r.sealed.Seq, "hash": r.hash()}}
	for _, name := range []string{"eventType", "eventCategory", "readOnly", "managementEvent", "additionalEventData", "serviceEventDetails", "tlsDetails"} {
		if v := r.value(name); v != nil {
			out[name] = v
		}
	}
	put(out, "userArn", r.text("userIdentity.arn"))
	put(out, "sourceIdentity", r.text("userIdentity.sessionContext.sourceIdentity"))
	put(out, "identityStoreArn", r.text("userIdentity.onBehalfOf.identityStoreArn"))
	return out
}

// message is the event in one line.
func (r record) message() string {
	who := orUnknown(r.text("userIdentity.onBehalfOf.userId", "userIdentity.arn", "userIdentity.userName", "additionalEventData.UserName", "userIdentity.invokedBy"))
	outcome := "succeeded"
	if r.failed() {
		outcome = "failed"
		if code := r.text("errorCode"); code != "" {
			outcome += ": " + code
		}
	}
	return orUnknown(r.source()) + " " + orUnknown(r.name()) + " by " + who + " " + outcome
}
