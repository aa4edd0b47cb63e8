package access

import (
	"strconv"
	"strings"
	"time"

	"sallyport/internal/fault"
)

// DefaultSessionDuration is what a permission set has that names none.
const DefaultSessionDuration = "PT1H"

// The bounds of a session's duration (behaviour reference §3.1); the model's pattern alone would take a century.
const (
	minSession = time.Hour
	maxSession = 12 * time.Hour
)

// ParseSessionDuration reads an ISO 8601 duration, as the model's shape Duration has it, between one and twelve hours.
func ParseSessionDuration(s string) (time.Duration, error) {
	d, ok := parseISODuration(s)
	if !ok {
		return 0, fault.Invalidf("SessionDuration must be a duration in ISO 8601 form, such as PT8H.")
	}
	if d < minSession || d > maxSession {
		return 0, fault.Invalidf("SessionDuration must be between 1 and 12 hours.")
	}
	return d, nil
}

// isoUnits are the designators in the only order in which they may stand. Years and months have no fixed length: any
// number of them but none is beyond every bound here, so their length need only be more than maxSession.
var isoUnits = []struct {
	letter byte
	time   bool
	length time.Duration
}{
	{'Y', false, 365 * 24 * time.Hour},
	{'M', false, 30 * 24 * time.Hour},
	{'D', false, 24 * time.Hour},
	{'W', false, 7 * 24 * time.Hour},
	{'H', true, time.Hour},
	{'M', true, time.Minute},
	{'S', true, time.Second},
}

// parseISODuration sums the parts of a duration. What is far beyond the bounds may come out as any time beyond them.
func parseISODuration(s string) (sum time.Duration, ok bool) {
	s, negative := strings.CutPrefix(s, "-")
	s, ok = strings.CutPrefix(s, "P")
	if !ok || s == "" || s == "T" {
		return 0, false
	}
	unit, inTime, days := 0, false, false
	for s != "" {
		if rest, found := strings.CutPrefix(s, "T"); found && !inTime {
			s, inTime = rest, true
			continue
		}
		n := 0
		for n < len(s) && (s[n] >= '0' && s[n] <= '9' || s[n] == '.') {
			n++
		}
		if n == 0 || n == len(s) {
			return 0, false
		}
		for unit < len(isoUnits) && (isoUnits[unit].letter != s[n] || isoUnits[unit].time != inTime) {
			unit++
		}
		if unit == len(isoUnits) {
			return 0, false
		}
		u := isoUnits[unit]
		if (u.letter == 'D' || u.letter == 'W') && days { // one or the other
			return 0, false
		}
		days = days || u.letter == 'D' || u.letter == 'W'
		part, ok := isoPart(s[:n], u.letter == 'S', u.length)
		if !ok {
			return 0, false
		}
		sum, s, unit = min(sum+part, farTooLong), s[n+1:], unit+1
	}
	if negative {
		sum = -sum
	}
	return sum, true
}

// farTooLong is where sums stop, so that no number of digits overflows.
const farTooLong = 1000 * time.Hour

func isoPart(digits string, fraction bool, unit time.Duration) (time.Duration, bool) {
	whole, part, dot := strings.Cut(digits, ".")
	if whole == "" || dot && (!fraction || part == "" || strings.Contains(part, ".")) {
		return 0, false
	}
	n, err := strconv.ParseFloat(digits, 64) // of up to 100 characters: never an error but of range
	if err != nil || n > float64(farTooLong/unit)+1 {
		return farTooLong, true
	}
	return min(time.Duration(n*float64(unit)), farTooLong), true
}
