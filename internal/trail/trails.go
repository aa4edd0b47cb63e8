package trail

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/quota"
	"sallyport/internal/store"
)

// cursor names a trail among the sinks of the log.
func cursor(id string) string { return "trail/" + id }

// Find is the trail that a caller calls by name or ARN.
func (h House) Find(tx *store.Tx, given string) (store.LogTrail, error) {
	name, err := h.Name(given)
	if err != nil {
		return store.LogTrail{}, err
	}
	t, err := tx.TrailByName(name)
	if errors.Is(err, store.ErrNotFound) {
		return t, unknownTrail(given)
	}
	if err != nil {
		return t, fmt.Errorf("load trail: %w", err)
	}
	return t, nil
}

// Create makes a trail. Nothing is logged until [House.Start].
func (h House) Create(tx *store.Tx, name string, spec store.TrailSpec, limits quota.Limits) (store.LogTrail, error) {
	t := store.LogTrail{ID: arn.NewTimeUUID(tx.Now()), Name: name, Live: true, TrailSpec: spec, CreatedAt: tx.Now()}
	if err := checkName(name); err != nil {
		return t, err
	}
	if err := checkPlace(tx, spec); err != nil {
		return t, err
	}
	if err := checkTags(spec.Tags, limits); err != nil {
		return t, err
	}
	others, err := tx.Trails()
	if err != nil {
		return t, fmt.Errorf("list trails: %w", err)
	}
	if limits.Exceeds(quota.Trails, len(others)+1) {
		return t, limits.Reached(quota.Trails).WithReason("MaximumNumberOfTrailsExceededException")
	}
	err = tx.InsertTrail(t)
	if errors.Is(err, store.ErrExists) {
		return t, refuse(fault.Conflict, "TrailAlreadyExistsException", "Trail %s already exists.", h.ARN(name))
	}
	return t, err
}

// Update changes what is set in change of a trail's settings.
func (h House) Update(tx *store.Tx, given string, change func(*store.TrailSpec)) (store.LogTrail, error) {
	t, err := h.Find(tx, given)
	if err != nil {
		return t, err
	}
	digested := t.Validation
	change(&t.TrailSpec)
	if t.Validation && !digested && len(t.Runs) > 0 && t.Runs[0].Begun { // what was written meanwhile is in no digest
		t.Runs[0].Fresh, t.Runs[0].From, t.Runs[0].FromHash = true, t.Seq, t.Hash
	}
	if err := checkPlace(tx, t.TrailSpec); err != nil {
		return t, err
	}
	return t, save(tx, t)
}

func save(tx *store.Tx, t store.LogTrail) error {
	if err := tx.UpdateTrail(t); err != nil {
		return fmt.Errorf("store trail: %w", err)
	}
	return nil
}

// Delete ends a trail. What happened until now is still written, and then a closing digest; its name is free at once.
func (h House) Delete(tx *store.Tx, given, event string) error {
	t, err := h.Find(tx, given)
	if err != nil {
		return err
	}
	stop(tx, &t, event)
	t.Live = false
	return save(tx, t)
}

// Start has a trail logged from the given event on, which is that of the call itself.
func (h House) Start(tx *store.Tx, given, event string) error {
	t, err := h.Find(tx, given)
	if err != nil || t.Logging {
		return err
	}
	seq, hash, err := tx.AuditEnd()
	if err != nil {
		return fmt.Errorf("find the log's end: %w", err)
	}
	if len(t.Runs) == 0 {
		t.Seq, t.Hash = seq, hash
		if err := tx.SetAuditCursor(cursor(t.ID), seq); err != nil {
			return fmt.Errorf("set trail's cursor: %w", err)
		}
	}
	t.Runs = append(t.Runs, store.TrailRun{After: seq, AfterHash: hash, Start: event, StartAt: tx.Now()})
	t.Logging, t.StartedAt = true, tx.Now()
	return save(tx, t)
}

// Stop has a trail logged no further than the given event.
func (h House) Stop(tx *store.Tx, given, event string) error {
	t, err := h.Find(tx, given)
	if err != nil || !t.Logging {
		return err
	}
	stop(tx, &t, event)
	return save(tx, t)
}

func stop(tx *store.Tx, t *store.LogTrail, event string) {
	if t.Logging {
		t.Logging, t.StoppedAt = false, tx.Now()
		last := &t.Runs[len(t.Runs)-1]
		last.Stop, last.StopAt = event, tx.Now()
	}
}

// SetSelectors says which events a trail has: by selectors of one of both kinds.
func (h House) SetSelectors(tx *store.Tx, given string, basic []BasicSelector, advanced []AdvancedSelector) (store.LogTrail, error) {
	t, err := h.Find(tx, given)
	if err != nil {
		return t, err
	}
	switch {
	case (basic != nil) == (advanced != nil):
		return t, badSelectors("Give either EventSelectors or AdvancedEventSelectors.")
	case basic != nil:
		err = checkBasic(basic)
	default:
		err = checkAdvanced(advanced)
	}
	if err != nil {
		return t, err
	}
	t.Basic, t.Advanced = nil, nil
	if basic != nil {
		t.Basic, err = json.Marshal(basic)
	} else if len(advanced) > 0 {
		t.Advanced, err = json.Marshal(advanced)
	}
	if err != nil {
		return t, fmt.Errorf("encode selectors: %w", err)
	}
	return t, save(tx, t)
}

// Selectors are those of a trail; without any of its own the basic one that takes all.
func Selectors(t store.LogTrail) (basic []BasicSelector, advanced []AdvancedSelector, err error) {
	f := filter{}
	if len(t.Basic) > 0 {
		err = json.Unmarshal(t.Basic, &f.Basic)
	}
	if err == nil && len(t.Advanced) > 0 {
		err = json.Unmarshal(t.Advanced, &f.Advanced)
	}
	if err == nil && len(f.Basic)+len(f.Advanced) == 0 {
		f.Basic = []BasicSelector{{ReadWriteType: "All", IncludeManagementEvents: new(true)}}
	}
	return f.Basic, f.Advanced, err
}

// Tag gives a trail tags, in place of those with the same keys.
func (h House) Tag(tx *store.Tx, given string, tags map[string]string, limits quota.Limits) error {
	t, err := h.Find(tx, given)
	if err != nil {
		return err
	}
	if t.Tags == nil {
		t.Tags = map[string]string{}
	}
	maps.Copy(t.Tags, tags)
	if err := checkTags(t.Tags, limits); err != nil {
		return err
	}
	return save(tx, t)
}

// Untag takes tags off a trail.
func (h House) Untag(tx *store.Tx, given string, keys []string) error {
	t, err := h.Find(tx, given)
	if err != nil {
		return err
	}
	for _, k := range keys {
		delete(t.Tags, k)
	}
	return save(tx, t)
}

func checkTags(tags map[string]string, limits quota.Limits) error {
	for k := range tags {
		if strings.HasPrefix(strings.ToLower(k), "aws:") {
			return refuse(fault.Invalid, "InvalidTagParameterException", "The tag %.128q will not do: keys that begin with aws: are AWS's own.", k)
		}
	}
	if limits.Exceeds(quota.Tags, len(tags)) {
		return limits.Reached(quota.Tags).WithReason("TagsLimitExceededException")
	}
	return nil
}

var (
	bucketForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	prefixForm = regexp.MustCompile(`^[A-Za-z0-9!_.*'()/-]+$`)
)

func checkBucketName(name string) error {
	if !bucketForm.MatchString(name) || strings.Contains(name, "..") || addressLike.MatchString(name) {
		return refuse(fault.Invalid, "InvalidS3BucketNameException", "Bucket name %.100q will not do: it has 3 to 63 lower-case letters, numbers, periods and dashes, and begins and ends with a letter or number.", name)
	}
	return nil
}

// checkPlace holds bucket and prefix against the rules; the bucket must be known here.
func checkPlace(tx *store.Tx, s store.TrailSpec) error {
	if err := checkBucketName(s.Bucket); err != nil {
		return err
	}
	if len(s.Prefix) > 200 || s.Prefix != "" && (!prefixForm.MatchString(s.Prefix) || strings.HasPrefix(s.Prefix, "/") || strings.HasSuffix(s.Prefix, "/") ||
		strings.Contains(s.Prefix, "//") || strings.HasPrefix(s.Prefix, ".") || strings.Contains(s.Prefix, "/.")) {
		return refuse(fault.Invalid, "InvalidS3PrefixException", "Prefix %.200q will not do: it has at most 200 letters, numbers, slashes and of !_.*'()-, and neither begins nor ends with a slash or a part with a dot.", s.Prefix)
	}
	_, err := tx.TrailBucket(s.Bucket)
	if errors.Is(err, store.ErrNotFound) {
		return refuse(fault.NotFound, "S3BucketDoesNotExistException", "S3 bucket %s does not exist. The operator makes it with: sallyport trail bucket add %[1]s", s.Bucket)
	}
	if err != nil {
		return fmt.Errorf("load bucket: %w", err)
	}
	return nil
}

// keyRange bounds what is asked for of keys: a stretch without ends is the present.
func keyRange(from, to *time.Time, now time.Time) (time.Time, time.Time, error) {
	f, t := now, now
	switch {
	case from != nil && to != nil:
		f, t = *from, *to
	case from != nil:
		f = *from
	case to != nil:
		f, t = *to, *to
	}
	if f.After(t) {
		return f, t, refuse(fault.Invalid, "InvalidTimeRangeException", "The start of the time range is after its end.")
	}
	return f, t, nil
}

// PublicKeys are the keys that were valid at some time of a stretch.
func PublicKeys(tx *store.Tx, from, to *time.Time) ([]store.TrailKey, error) {
	f, t, err := keyRange(from, to, tx.Now())
	if err != nil {
		return nil, err
	}
	keys, err := tx.TrailKeys(f, t)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return keys, nil
}
