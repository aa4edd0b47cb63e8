package setting

import (
	"fmt"
	"regexp"
	"strings"
)

// texts is a setting that is any text of which a check has nothing to say.
func texts(name, byDefault, aws string, check func(string) error, field func(*Values) *string, description string) definition {
	set := func(v *Values, text string) error {
		if err := check(text); err != nil {
			return err
		}
		*field(v) = text
		return nil
	}
	return definition{name, byDefault, aws, description, nil, set, same}
}

// principal is an entry of alerts.pipelines: the ARN of a user or a role, and after an @ who is behind the role's sessions; or scim: and the
// name of a source. User names may have an @ too, which does no harm: what is compared is the whole entry.
var principal = regexp.MustCompile(`^arn:aws[a-z-]*:(iam|sts)::\d{12}:(user|role|assumed-role)/[!-+\--~]+$|^scim:[^,]{1,64}$`)

// maxPipelines is how many characters the list has at most.
const maxPipelines = 4096

func pipelines(text string) error {
	if len(text) > maxPipelines {
		return fmt.Errorf("it has at most %d characters", maxPipelines)
	}
	if text == None {
		return nil
	}
	for _, one := range strings.Split(text, ",") {
		if !principal.MatchString(strings.TrimSpace(one)) {
			return fmt.Errorf("it is none, or a list of ARNs such as arn:aws:iam::111122223333:role/pipeline and sources such as scim:okta, with commas between them")
		}
	}
	return nil
}
