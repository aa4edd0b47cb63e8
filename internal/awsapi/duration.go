package awsapi

import (
	"regexp"
	"strings"
	"sync"
)

// durationParts is the model's Duration pattern without its look-ahead, which RE2 has not.
var durationParts = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^-?P(?:\d+Y)?(?:\d+M)?(?:\d+[DW])?(?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?$`)
})

// MatchDuration checks shape Duration of sso-admin: an ISO 8601 duration that has at least one part. The look-ahead (?=\d|T\d)
// demands a digit right after the P, or after PT.
func MatchDuration(s string) bool {
	if !durationParts().MatchString(s) {
		return false
	}
	rest := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(s, "-"), "P"), "T")
	return rest != "" && rest[0] >= '0' && rest[0] <= '9'
}
