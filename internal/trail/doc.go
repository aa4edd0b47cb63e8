// Package trail writes the audit log into files that others can check: CloudTrail's trails, their buckets, and the keys that sign.
//
// A trail follows the log with a cursor. A leased worker plans each file in the database, with all that it is made of, before it
// writes it: the stretch of the log, the name, the hash, of a digest its bytes and signature. So whatever ends the process, what
// comes next is the same file, and after it the same next one. The cursor moves when the file is in its bucket.
//
// All trails are the owner's, and hold the events of all accounts, as the log does (see docs/divergences.md).
package trail

import (
	"regexp"
	"strings"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
)

// refuse is a fault that CloudTrail has an exception of its own for.
func refuse(k fault.Kind, exception, format string, args ...any) error {
	return fault.Newf(k, format, args...).WithReason(exception)
}

// House is what all trails have in common.
type House struct {
	Owner  arn.AccountID
	Region string
}

// ARN is a trail's.
func (h House) ARN(name string) string { return h.arnPrefix() + name }

func (h House) arnPrefix() string {
	return "arn:aws:cloudtrail:" + h.Region + ":" + string(h.Owner) + ":trail/"
}

var (
	nameForm     = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)
	adjacent     = regexp.MustCompile(`[._-]{2}`)
	addressLike  = regexp.MustCompile(`^\d+\.\d+\.\d+\.\d+$`)
	trailARNForm = regexp.MustCompile(`^arn:aws[a-z-]*:cloudtrail:[a-z0-9-]+:\d{12}:trail/[A-Za-z0-9._-]{3,128}$`)
)

// checkName holds a name against CloudTrail's rules.
func checkName(name string) error {
	switch {
	case len(name) < 3:
		return refuse(fault.Invalid, "InvalidTrailNameException", "Trail name too short. Minimum allowed length: 3 characters. Specified name length: %d characters.", len(name))
	case len(name) > 128:
		return refuse(fault.Invalid, "InvalidTrailNameException", "Trail name too long. Maximum allowed length: 128 characters. Specified name length: %d characters.", len(name))
	case !nameForm.MatchString(name):
		return refuse(fault.Invalid, "InvalidTrailNameException", "Trail name must start and end with a letter or number, and have letters, numbers, periods, underscores and dashes between.")
	case adjacent.MatchString(name):
		return refuse(fault.Invalid, "InvalidTrailNameException", "Trail name must have no adjacent periods, underscores or dashes.")
	case addressLike.MatchString(name):
		return refuse(fault.Invalid, "InvalidTrailNameException", "Trail name must not be in IP address format.")
	}
	return nil
}

// Name is the name in what a caller calls a trail by: the name itself, or the ARN.
func (h House) Name(given string) (string, error) {
	if !strings.HasPrefix(given, "arn:") {
		return given, checkName(given)
	}
	if !trailARNForm.MatchString(given) {
		return "", refuse(fault.Invalid, "CloudTrailARNInvalidException", "%.200q is not the ARN of a trail. One is %sNAME.", given, h.arnPrefix())
	}
	name, ours := strings.CutPrefix(given, h.arnPrefix())
	if !ours {
		return "", unknownTrail(given)
	}
	return name, checkName(name)
}

func unknownTrail(given string) error {
	return refuse(fault.NotFound, "TrailNotFoundException", "Unknown trail: %.200s.", given)
}
