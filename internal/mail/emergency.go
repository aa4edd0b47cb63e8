package mail

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Emergency is what letters tell of an opening of an emergency access.
type Emergency struct {
	Access, Opener, Approver, Reason, IP string
	At, Until                            time.Time
}

func (e Emergency) facts() string {
	facts := ""
	for _, fact := range [][2]string{
		{"Access", e.Access}, {"Opener", e.Opener}, {"Approved by", e.Approver}, {"Reason", e.Reason}, {"Asked at", instant(e.At)}, {"IP address", e.IP}, {"Until", instant(e.Until)},
	} {
		if value := clean(fact[1]); value != "" {
			facts += fmt.Sprintf("    %-12s %s\n", fact[0]+":", value)
		}
	}
	return facts
}

// EmergencyOpened is the alarm.
func (l Letters) EmergencyOpened(e Emergency) Message {
	return l.letter("Emergency access was opened at "+l.host(), fmt.Sprintf(`Emergency access was opened.

%s
If you do not know of an emergency, tell your administrator at once. It
can be closed before its time: by the opener and by those who may
approve at %s/emergency,
and by administrators with: sallyport emergency close.

Everything that is done with it is in the audit log, and a review stays
open until somebody closes it with a reason.`, e.facts(), l.Portal))
}

// EmergencyAsked tells those who can approve that somebody asks.
func (l Letters) EmergencyAsked(e Emergency) Message {
	return l.letter("Emergency access is asked for at "+l.host(), fmt.Sprintf(`Emergency access is asked for, and you can approve of it.

%s
Speak to the person before you do: not by mail. Then sign in at
%s/emergency

If there is no emergency, deny it there, and tell your administrator.`, e.facts(), l.Portal))
}

// lineLength is how many characters a line of a letter has at most, where words allow it.
const lineLength = 72

// inLines breaks a text into lines.
func inLines(text string) string {
	var out strings.Builder
	length := 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case length == 0:
		case length+1+n > lineLength:
			out.WriteByte('\n')
			length = 0
		default:
			out.WriteByte(' ')
			length++
		}
		out.WriteString(word)
		length += n
	}
	return out.String()
}

// EmergencyUntested says that an emergency access could not be opened today.
func (l Letters) EmergencyUntested(access string, reasons []string) Message {
	var list strings.Builder
	for _, r := range reasons {
		fmt.Fprintf(&list, "  - %s\n", strings.ReplaceAll(inLines(clean(r)), "\n", "\n    "))
	}
	return l.letter("Emergency access could not be opened today at "+l.host(), fmt.Sprintf(`The daily self-test found that an emergency access could not be
opened today:

    %s

%s
Your administrator can look with: sallyport emergency test.`, clean(access), list.String()))
}
