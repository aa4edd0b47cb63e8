package alert

import (
	"slices"
	"strings"

	"sallyport/internal/setting"
)

// pipeline are the callers that may change access: entries of the setting alerts.pipelines. An entry is the ARN of a user or role, or
// ROLE@SOURCE, a role that is assumed by the source alone, or scim:NAME, a source of people and groups.
type pipeline []string

func pipelineOf(list string) (p pipeline) {
	for _, one := range strings.Split(list, ",") {
		if one = strings.TrimSpace(one); one != setting.None {
			p = append(p, one)
		}
	}
	return p
}

// has says whether the caller of an event is among them. A caller is who called, the role behind the session, and who is behind that: the
// source identity with which the role was assumed, or the person for whom. So a person who gets hold of a pipeline's role is none.
func (p pipeline) has(detail map[string]any) bool {
	id, _ := detail["userIdentity"].(map[string]any)
	source := text(id, "sessionContext", "sourceIdentity")
	if source == "" {
		source = text(id, "onBehalfOf", "userId")
	}
	if text(detail, "eventSource") == "identitystore-scim.amazonaws.com" {
		return text(id, "type") == "WebIdentityUser" && slices.Contains(p, "scim:"+text(id, "userName"))
	}
	for _, name := range []string{text(id, "arn"), text(id, "sessionContext", "sessionIssuer", "arn")} {
		if name == "" {
			continue
		}
		if source != "" {
			name += "@" + source
		}
		if slices.Contains(p, name) {
			return true
		}
	}
	return false
}
