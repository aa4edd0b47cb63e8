// Package format writes sealed events in the formats that security tools read: CloudTrail's own, OCSF and CEF. A formatter
// is pure: the same event gives the same bytes, whoever sends them, however often.
package format

import (
	"strings"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// Formatter writes one event. Its output is one line without an end of line, and bounded by the size of the event.
// An error is for good: the event is not one, and trying again changes nothing.
type Formatter interface {
	Format(e store.SealedEvent) ([]byte, error)
}

// Names of the formats.
const (
	NameCloudTrail = "cloudtrail"
	NameOCSF       = "ocsf"
	NameCEF        = "cef"
)

// Names are all formats, the default first.
var Names = []string{NameCloudTrail, NameOCSF, NameCEF}

// New is the formatter of a name; the empty name is CloudTrail's.
func New(name string) (Formatter, error) {
	switch name {
	case "", NameCloudTrail:
		return CloudTrail{}, nil
	case NameOCSF:
		return OCSF{}, nil
	case NameCEF:
		return CEF{}, nil
	}
	return nil, fault.Invalidf("There is no event format %q; there are %s.", name, strings.Join(Names, ", "))
}

// ContentType is the media type of a format's single event.
func ContentType(name string) string {
	if name == NameCEF {
		return "text/plain; charset=utf-8"
	}
	return "application/json"
}
