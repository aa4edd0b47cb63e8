package syslog

import (
	"strconv"
	"strings"
	"time"
)

// Message is one entry of a log.
type Message struct {
	Severity int       // 0 emergency to 7 debug (RFC 5424 §6.2.1)
	Time     time.Time // zero for none
	ID       string    // kind of message, such as the event's name
	Data     []Param   // structured data
	Text     []byte    // UTF-8
}

// Param is a name and a value of the structured data.
type Param struct{ Name, Value string }

// dataID names our structured data. 32473 is the enterprise number that RFC 5612 sets aside for documentation: the
// project has none.
const dataID = "sallyport@32473"

// frame is the message with its length before it (RFC 5425 §4.3).
func (d *dialer) frame(m Message) []byte {
	b := make([]byte, 0, 256+len(m.Text))
	b = append(b, '<')
	b = strconv.AppendInt(b, int64(8*d.facility+m.Severity&7), 10)
	b = append(b, ">1 "...)
	if m.Time.IsZero() {
		b = append(b, '-')
	} else {
		b = m.Time.UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z07:00")
	}
	for _, field := range []string{header(d.hostname, maxHostname), header(d.appName, maxAppName), "-", header(m.ID, maxMsgID)} {
		b = append(b, ' ')
		b = append(b, field...)
	}
	b = append(b, ' ')
	b = appendData(b, m.Data)
	if len(m.Text) > 0 {
		b = append(b, ' ')
		b = append(b, m.Text...)
	}
	return append(append(strconv.AppendInt(make([]byte, 0, len(b)+8), int64(len(b)), 10), ' '), b...)
}

func appendData(b []byte, params []Param) []byte {
	if len(params) == 0 {
		return append(b, '-')
	}
	b = append(b, "["+dataID...)
	for _, p := range params {
		b = append(b, ' ')
		b = append(b, strings.Map(notInName, header(p.Name, maxMsgID))...)
		b = append(b, `="`...)
		b = append(b, quoted.Replace(strings.ToValidUTF8(p.Value, "?"))...)
		b = append(b, '"')
	}
	return append(b, ']')
}

// quoted escapes a value (RFC 5424 §6.3.3).
var quoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`)

func notInName(c rune) rune {
	if c == '=' || c == ']' || c == '"' {
		return '_'
	}
	return c
}

// header is a text as fields of the header may have it: printable ASCII without blanks, or the nil value.
func header(s string, most int) string {
	s = strings.Map(func(c rune) rune {
		if c < '!' || c > '~' {
			return '_'
		}
		return c
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), most)]
}
