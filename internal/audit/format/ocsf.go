package format

import (
	"bytes"
	"encoding/json"

	"sallyport/internal/store"
)

// OCSF is the Open Cybersecurity Schema Framework, version 1.8.0 (github.com/ocsf/ocsf-schema): API Activity, Authentication,
// Account Change, User Access Management and Group Management, with the profile cloud. The event's number is
// metadata.sequence and its id metadata.uid; the chain's head and what the schema has no place for are below unmapped.
// The original's bytes are not in it, so that the chain is verified against the log; a head that was kept is found in both.
type OCSF struct{}

// ocsfVersion is the schema's.
const ocsfVersion = "1.8.0"

// obj is a JSON object; encoding sorts its members, so that an event has one form.
type obj = map[string]any

// Format writes the event as an OCSF object.
func (OCSF) Format(e store.SealedEvent) ([]byte, error) {
	r, err := read(e)
	if err != nil {
		return nil, err
	}
	rule, subject := r.classify()
	out := r.base(rule)
	out["actor"] = r.actor()
	out["src_endpoint"] = r.endpoint()
	out["api"] = r.api()
	out["cloud"] = obj{"provider": "Sallyport", "region": orUnknown(r.text("awsRegion")), "account": account(r.text("recipientAccountId"))}
	if agent := r.text("userAgent"); agent != "" {
		out["http_request"] = obj{"user_agent": agent}
	}
	r.addSubject(out, rule, subject)
	out["observables"] = r.observables()
	out["unmapped"] = r.unmapped()

	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// base is what every class has.
func (r record) base(found rule) obj {
	c, activity := found.class, r.activity(found)
	status, statusID := "Success", 1
	if r.failed() {
		status, statusID = "Failure", 2
	}
	typeUID := c.uid*100 + found.activity
	out := obj{
		"activity_id": found.activity, "activity_name": activity, "category_uid": c.category, "category_name": c.categoryName,
		"class_uid": c.uid, "class_name": c.name, "type_uid": typeUID, "type_name": c.name + ": " + activity,
		"severity_id": found.severity, "severity": severities[found.severity], "status_id": statusID, "status": status,
		"time": r.at().UnixMilli(), "message": r.message(), "metadata": r.metadata(),
	}
	put(out, "status_code", r.text("errorCode"))
	put(out, "status_detail", r.text("errorMessage"))
	return out
}

// activity is the caption, or for one that the class does not know the event's own name.
func (r record) activity(found rule) string {
	if caption, ok := found.class.activities[found.activity]; ok {
		return caption
	}
	return orUnknown(r.name())
}

func (r record) metadata() obj {
	m := obj{
		"version": ocsfVersion, "product": obj{"name": "Sallyport", "vendor_name": "Sallyport"}, "profiles": []string{"cloud"},
		"uid": r.id(), "sequence": r.sealed.Seq, "logged_time": r.sealed.At.UnixMilli(),
	}
	put(m, "event_code", r.name())
	put(m, "log_provider", r.source())
	put(m, "log_version", r.text("eventVersion"))
	put(m, "original_time", r.text("eventTime"))
	put(m, "correlation_uid", r.workflow())
	return m
}

// actor is who did it: the person of the directory where there is one, else the principal.
func (r record) actor() obj {
	const id = "userIdentity."
	user := obj{}
	put(user, "uid", r.text(id+"onBehalfOf.userId", id+"principalId", id+"arn"))
	put(user, "name", r.text(id+"userName", "additionalEventData.UserName"))
	if key := r.text(id + "accessKeyId"); key != "" {
		user["programmatic_credentials"] = []obj{{"uid": key, "type": "Access Key"}}
	}
	put(user, "type", r.text(id+"type"))
	if len(user) > 0 {
		user["type_id"] = userType(r.text(id + "type"))
	}
	if a := r.text(id + "accountId"); a != "" {
		user["account"] = account(a)
	}
	actor := obj{}
	if user["uid"] != nil || user["name"] != nil || user["account"] != nil { // one of them is required
		actor["user"] = user
	}
	session := obj{}
	put(session, "uid", r.session())
	put(session, "issuer", r.text(id+"sessionContext.sessionIssuer.arn"))
	if len(session) > 0 {
		actor["session"] = session
	}
	put(actor, "app_name", r.text(id+"invokedBy"))
	if len(actor) == 0 {
		actor["app_name"] = "Unknown"
	}
	return actor
}

// userType is OCSF's type_id of a user, by CloudTrail's type of identity.
func userType(identity string) int {
	switch identity {
	case "IdentityCenterUser", "WebIdentityUser":
		return 1 // User
	case "IAMUser", "Root":
		return 2 // Admin: an operator's key
	case "AWSService":
		return 3 // System
	case "AssumedRole":
		return 99 // Other: a role
	}
	return 0
}

func account(uid string) obj {
	return obj{"uid": orUnknown(uid), "type": "AWS Account", "type_id": 10}
}

// put adds a text that is not empty.
func put(m obj, name, value string) {
	if value != "" {
		m[name] = value
	}
}

func orUnknown(s string) string {
	if s == "" {
		return "Unknown"
	}
	return s
}
