package alert

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
)

// maxMessage is how many characters a message has at most.
const maxMessage = 500

// message says in one line what has happened.
func message(r *rule, f found, n int) string {
	what := text(f.detail, "eventName")
	if n > 1 {
		what = fmt.Sprintf("%d × %s within %v, the last one", n, what, r.Window)
	}
	if code := text(f.detail, "errorCode"); code != "" {
		what += " (" + code + ")"
	}
	return line(fmt.Sprintf("%s: %s by %s from %s", r.Name, what, who(f.detail), cmp.Or(text(f.detail, "sourceIPAddress"), "an unknown address")))
}

// who names the caller as shortly as they can be told.
func who(detail map[string]any) string {
	id, _ := detail["userIdentity"].(map[string]any)
	name := cmp.Or(text(id, "arn"), text(id, "onBehalfOf", "userId"), text(id, "invokedBy"), text(id, "userName"), "somebody unknown")
	if source := text(id, "sessionContext", "sourceIdentity"); source != "" {
		name += " (" + source + ")"
	}
	return name
}

// line makes one line of what others have named, without what would steer a terminal or a message's reader.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	if all := []rune(s); len(all) > maxMessage {
		return string(all[:maxMessage-1]) + "…"
	}
	return s
}
