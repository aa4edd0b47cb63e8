package format

import "strings"

// class is an event class of OCSF 1.8.0.
type class struct {
	uid, category      int
	name, categoryName string
	activities         map[int]string // captions; 99 has the event's own name
}

// other is the activity of every class that none of its own fits.
const other = 99

// The classes that events are translated to, from events/*/*.json of ocsf-schema 1.8.0.
var (
	accountChange = &class{3001, 3, "Account Change", iam, map[int]string{
		1: "Create", 2: "Enable", 3: "Password Change", 4: "Password Reset", 5: "Disable", 6: "Delete", 7: "Attach Policy",
		8: "Detach Policy", 9: "Lock", 10: "MFA Factor Enable", 11: "MFA Factor Disable", 12: "Unlock",
	}}
	authentication = &class{3002, 3, "Authentication", iam, map[int]string{1: "Logon", 2: "Logoff", 6: "Preauth"}}
	userAccess     = &class{3005, 3, "User Access Management", iam, map[int]string{1: "Assign Privileges", 2: "Revoke Privileges"}}
	groupChange    = &class{3006, 3, "Group Management", iam, map[int]string{
		1: "Assign Privileges", 2: "Revoke Privileges", 3: "Add User", 4: "Remove User", 5: "Delete", 6: "Create",
	}}
	apiActivity = &class{6003, 6, "API Activity", "Application Activity", map[int]string{1: "Create", 2: "Read", 3: "Update", 4: "Delete"}}
)

const iam = "Identity & Access Management"

// Severities of OCSF, by id.
const (
	informational = 1
	low           = 2
	medium        = 3
	high          = 4
)

var severities = map[int]string{informational: "Informational", low: "Low", medium: "Medium", high: "High"}

// rule says what an event is. The zero severity is decided by the outcome.
type rule struct {
	class    *class
	activity int
	severity int
	subject  []string // paths to the id of whom or what it was done to
}

// Where the subject's id is, by kind of event.
var (
	caller     = []string{"userIdentity.onBehalfOf.userId", "userIdentity.principalId"}
	person     = []string{"requestParameters.userId", "responseElements.userId", "serviceEventDetails.userId", "serviceEventDetails.user_id"}
	self       = []string{"userIdentity.onBehalfOf.userId"}
	provided   = []string{"requestParameters.id", "responseElements.id"}
	group      = []string{"requestParameters.groupId", "responseElements.groupId", "serviceEventDetails.groupId"}
	grantee    = []string{"requestParameters.principalId", "serviceEventDetails.principalId"}
	granted    = []string{"requestParameters.permissionSetArn", "serviceEventDetails.permissionSetArn", "requestParameters.applicationArn"}
	grantedOn  = []string{"requestParameters.targetId", "serviceEventDetails.targetId", "requestParameters.applicationArn"}
	permission = []string{"requestParameters.permissionSetArn"}
)

// classify says what an event is. What has no rule, and what lacks the subject that its class requires, is API Activity.
func (r record) classify() (found rule, subject string) {
	found, known := rules[r.source()][r.name()]
	if found.class == userAccess && r.text("requestParameters.principalType", "serviceEventDetails.principalType") == "GROUP" {
		found.class = groupChange
	}
	subject = r.text(found.subject...)
	if found.class == authentication && subject == "" {
		subject = r.text("additionalEventData.UserName", "userIdentity.userName")
	}
	if !known || found.class != apiActivity && subject == "" {
		found.class, found.activity = apiActivity, r.verb()
	}
	// What the server found out by itself is as grave if it tells of an error; a call that was refused is not.
	if found.severity == 0 || r.failed() && r.text("eventType") != "AwsServiceEvent" {
		found.severity = r.severity(found)
	}
	return found, subject
}

// severity tells a SIEM what to look at first: refusals, and what gives someone more than he had.
func (r record) severity(found rule) int {
	code := r.text("errorCode")
	switch {
	case r.failed() && (found.class == authentication || strings.HasPrefix(code, "AccessDenied") || strings.HasPrefix(code, "Unauthorized")):
		return medium
	case r.failed():
		return low
	case found.class == userAccess, found.class == groupChange && (found.activity == 1 || found.activity == 3),
		found.class == accountChange && (found.activity == 7 || found.activity == 11):
		return medium
	case found.class == authentication, found.activity == 2 && found.class == apiActivity, r.value("readOnly") == true:
		return informational
	}
	return low
}

// verbs are how names of operations begin, for API Activity.
var verbs = []struct {
	activity int
	prefixes []string
}{
	{2, []string{"Describe", "Get", "List", "Lookup", "Search", "Is", "Verify"}},
	{1, []string{"Add", "Create", "Invite", "Register", "Start"}},
	{4, []string{"Delete", "End", "Remove", "Revoke"}},
	{3, []string{
		"Approve", "Attach", "Block", "Close", "Detach", "Disable", "Disown", "Enable", "Heal", "Patch", "Put", "Provision", "Rename", "Reopen", "Reset", "Rotate", "Tag", "Unblock", "Unlock", "Untag", "Update",
	}},
}

// verb is the activity that an operation's name tells of.
func (r record) verb() int {
	for _, v := range verbs {
		for _, prefix := range v.prefixes {
			if strings.HasPrefix(r.name(), prefix) {
				return v.activity
			}
		}
	}
	if r.value("readOnly") == true {
		return 2
	}
	return other
}
