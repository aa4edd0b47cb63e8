package format

import (
	"encoding/json"
	"net/netip"
	"strconv"
	"strings"

	"sallyport/internal/store"
)

// CEF is ArcSight's Common Event Format, version 0, from revision 25 of its guide: one line of a header and key=value pairs.
// It has no place for the whole event: the request is cut, and the key externalId finds the event in the log.
type CEF struct{}

// Bounds of CEF's fields, in bytes; the guide has them in characters.
const (
	cefShort  = 63
	cefNormal = 1023
	cefLong   = 4000
)

// cefSeverity is CEF's severity, from 0 to 10, of OCSF's.
var cefSeverity = map[int]int{informational: 1, low: 3, medium: 6, high: 8}

// Format writes the event as a line.
func (CEF) Format(e store.SealedEvent) ([]byte, error) {
	r, err := read(e)
	if err != nil {
		return nil, err
	}
	rule, subject := r.classify()
	var b strings.Builder
	b.WriteString("CEF:0|Sallyport|Sallyport|1|") // the version is that of this mapping
	b.WriteString(cefHeader(r.source() + ":" + r.name()))
	b.WriteString("|")
	b.WriteString(cefHeader(rule.class.name + ": " + r.activity(rule)))
	b.WriteString("|")
	b.WriteString(strconv.Itoa(cefSeverity[rule.severity]))
	b.WriteString("|")
	r.cefPairs(func(key, value string, most int) {
		if value != "" {
			b.WriteString(key)
			b.WriteByte('=')
			b.WriteString(cefValue(value, most))
			b.WriteByte(' ')
		}
	}, subject)
	return []byte(strings.TrimSuffix(b.String(), " ")), nil
}

// cefPairs gives all keys and their values, the number first.
func (r record) cefPairs(pair func(key, value string, most int), subject string) {
	outcome := "success"
	if r.failed() {
		outcome = "failure"
	}
	pair("cn1Label", "sequence", cefNormal)
	pair("cn1", strconv.FormatInt(r.sealed.Seq, 10), cefNormal)
	pair("externalId", r.id(), cefShort)
	pair("rt", strconv.FormatInt(r.at().UnixMilli(), 10), cefShort)
	pair("cat", r.source(), cefNormal)
	pair("act", r.name(), cefShort)
	pair("outcome", outcome, cefShort)
	pair("reason", strings.TrimSpace(r.text("errorCode")+" "+r.text("errorMessage")), cefNormal)
	r.cefSource(pair)
	pair("suid", r.text("userIdentity.onBehalfOf.userId", "userIdentity.principalId"), cefNormal)
	pair("suser", r.text("userIdentity.userName", "additionalEventData.UserName", "userIdentity.arn"), cefNormal)
	pair("duid", subject, cefNormal)
	pair("deviceExternalId", r.text("recipientAccountId"), cefShort)
	pair("requestClientApplication", r.text("userAgent"), cefNormal)
	custom := func(n, label, value string, most int) {
		if value != "" {
			pair("cs"+n+"Label", label, cefNormal)
			pair("cs"+n, value, most)
		}
	}
	custom("1", "hash", r.hash(), cefNormal)
	custom("2", "credentialId", r.session(), cefNormal)
	custom("3", "correlationId", r.workflow(), cefNormal)
	custom("4", "requestParameters", compact(r.value("requestParameters")), cefLong)
	custom("5", "serviceEventDetails", compact(r.value("serviceEventDetails")), cefLong)
	custom("6", "userArn", r.text("userIdentity.arn"), cefNormal)
}

// cefSource is where it came from. The key src is for IPv4 alone.
func (r record) cefSource(pair func(key, value string, most int)) {
	from := r.text("sourceIPAddress")
	switch ip, err := netip.ParseAddr(from); {
	case err != nil:
		pair("sourceServiceName", from, cefNormal)
	case ip.Is4():
		pair("src", from, cefShort)
	default:
		pair("c6a2Label", "Source IPv6 Address", cefNormal)
		pair("c6a2", from, cefShort)
	}
}

// compact is a part of the event as JSON, empty if there is none.
func compact(v any) string {
	if v == nil {
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// What is escaped, and what line ends become.
var (
	headerEscapes = strings.NewReplacer(`\`, `\\`, `|`, `\|`, "\r\n", " ", "\n", " ", "\r", " ")
	valueEscapes  = strings.NewReplacer(`\`, `\\`, `=`, `\=`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`)
)

// cefHeader escapes a text of the header: it may have no line ends, and the bar ends it.
func cefHeader(s string) string { return printable(headerEscapes.Replace(cut(s, cefNormal))) }

// cefValue escapes a value: the equals sign begins the next one, and line ends are written out.
func cefValue(s string, most int) string { return printable(valueEscapes.Replace(cut(s, most))) }

// printable leaves control characters out, and what some readers take for line ends.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == 0x85 || c == 0x2028 || c == 0x2029 {
			return -1
		}
		return c
	}, s)
}
