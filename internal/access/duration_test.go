package access

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestParseSessionDuration(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Duration{
		"PT1H": time.Hour, "PT12H": 12 * time.Hour, "PT4H": 4 * time.Hour, "PT60M": time.Hour, "PT3600S": time.Hour, "PT1H30M": 90 * time.Minute,
		"PT3600.5S": time.Hour + 500*time.Millisecond, "P0DT2H": 2 * time.Hour, "P0Y0M0W": 0, "PT720M": 12 * time.Hour, "PT0H90M0S": 90 * time.Minute,
		"PT43200S": 12 * time.Hour, "PT43201S": 0, "PT59M59S": 0, "P1D": 0, "P1W": 0, "P1M": 0, "P1Y": 0, "-PT2H": 0,
		"PT" + strings.Repeat("9", 90) + "H": 0,
		"":                                   0, "P": 0, "PT": 0, "PTH": 0, "1H": 0, "PT1": 0, "PT1H1H": 0, "PT1M1H": 0, "PT1.5H": 0, "PT1.S": 0, "PT.5S": 0, "PT1H ": 0, "pt1h": 0, "P1DT": 0,
		"P1D1W": 0, "PTT1H": 0, "PT1HT": 0, "P1H": 0, "PT+1H": 0,
	} {
		got, err := ParseSessionDuration(in)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %v, %v; want %v", in, got, err, want)
		}
	}
}

// The pattern of the shape Duration, in two: Go has no look-ahead.
var (
	modelPattern = regexp.MustCompile(`^(-?)P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)([DW]))?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$`)
	modelAhead   = regexp.MustCompile(`^-?P(?:\d|T\d)`)
)

func FuzzParseISODuration(f *testing.F) {
	for _, s := range []string{"PT1H", "P1Y2M3DT4H5M6.7S", "-PT2H", "PT12H", "P1W", "P1DT", "PT" + strings.Repeat("9", 90) + "S"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 100 {
			return // the model's bound
		}
		if d, ok := parseISODuration(s); ok != (modelPattern.MatchString(s) && modelAhead.MatchString(s)) {
			t.Errorf("%q: %v, %v", s, d, ok)
		}
		if d, err := ParseSessionDuration(s); err == nil && (d < time.Hour || d > 12*time.Hour) {
			t.Errorf("%q: %v", s, d)
		}
	})
}
