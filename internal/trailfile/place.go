package trailfile

import (
	"context"
	"strings"
	"time"

	"sallyport/internal/bucket"
)

// Layouts of times: in names of logs, in names of digests, in digests.
const (
	logTime    = "20060102T1504Z"
	digestTime = "20060102T150405Z"
	dayPath    = "2006/01/02"
)

// Place is where a trail's files lie in their bucket.
type Place struct {
	Prefix  string // empty: none
	Account string
	Region  string // of the trail and of its events: they are one
	Trail   string
}

// LogKey is the key of a log file. The suffix keeps those of one minute apart.
func (p Place) LogKey(at time.Time, suffix string) string {
	at = at.UTC()
	return p.folder("CloudTrail", at) + p.Account + "_CloudTrail_" + p.Region + "_" + at.Format(logTime) + "_" + suffix + ".json.gz"
}

// DigestKey is the key of the digest that ends at a time.
func (p Place) DigestKey(end time.Time) string {
	end = end.UTC()
	return p.folder("CloudTrail-Digest", end) + p.digestName() + end.Format(digestTime) + ".json.gz"
}

func (p Place) digestName() string {
	return p.Account + "_CloudTrail-Digest_" + p.Region + "_" + p.Trail + "_" + p.Region + "_"
}

// Digests is what the keys of all digests begin with, of other trails' too.
func (p Place) Digests() string { return p.root() + "CloudTrail-Digest/" + p.Region + "/" }

// Logs is what the keys of all log files begin with, of other trails' too.
func (p Place) Logs() string { return p.root() + "CloudTrail/" + p.Region + "/" }

func (p Place) root() string {
	prefix := p.Prefix
	if prefix != "" {
		prefix += "/"
	}
	return prefix + "AWSLogs/" + p.Account + "/"
}

func (p Place) folder(kind string, at time.Time) string {
	return p.root() + kind + "/" + p.Region + "/" + at.Format(dayPath) + "/"
}

// DigestEnd reads the end of a digest from its key; ok is false where it is none of this trail.
func (p Place) DigestEnd(key string) (end time.Time, ok bool) {
	name := key[strings.LastIndexByte(key, '/')+1:]
	text, found := strings.CutPrefix(name, p.digestName())
	text, gz := strings.CutSuffix(text, ".json.gz")
	if !found || !gz || !strings.HasPrefix(key, p.Digests()) {
		return time.Time{}, false
	}
	end, err := time.Parse(digestTime, text)
	return end, err == nil && p.DigestKey(end) == key
}

// logTime reads the minute of a log file from its key; ok is false where it is none.
func (p Place) logTime(key string) (at time.Time, ok bool) {
	name := key[strings.LastIndexByte(key, '/')+1:]
	rest, ok := strings.CutPrefix(name, p.Account+"_CloudTrail_"+p.Region+"_")
	if !ok || len(rest) < len(logTime) {
		return time.Time{}, false
	}
	at, err := time.Parse(logTime, rest[:len(logTime)])
	return at, err == nil
}

// Places finds where in a bucket trails lie, by the digests that are there.
func Places(ctx context.Context, b bucket.Bucket) (places []Place, err error) {
	seen := map[Place]bool{}
	c := &Check{Bucket: b}
	err = c.each(ctx, "", func(o bucket.Object) {
		p, ok := placeOf(o.Key)
		if ok && !seen[p] {
			seen[p] = true
			places = append(places, p)
		}
	})
	return places, err
}

// PlaceOf reads the place and the trail from the key of a digest.
func PlaceOf(key string) (Place, bool) {
	p, ok := placeOf(key)
	p.Trail = trailOf(p, key)
	return p, ok && p.Trail != ""
}

// placeOf reads a place from the key of a digest or log.
func placeOf(key string) (p Place, ok bool) {
	before, rest, ok := strings.Cut("/"+key, "/AWSLogs/")
	parts := strings.Split(rest, "/")
	if !ok || len(parts) != 7 || parts[1] != "CloudTrail-Digest" && parts[1] != "CloudTrail" {
		return p, false
	}
	return Place{Prefix: strings.TrimPrefix(before, "/"), Account: parts[0], Region: parts[2]}, true
}
