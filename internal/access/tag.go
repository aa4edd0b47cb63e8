package access

import (
	"strings"

	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/quota"
	"sallyport/internal/store"
)

// Tag gives a resource tags, in place of those with their keys.
func Tag(tx *store.Tx, resource string, tags []store.Tag, limits quota.Limits) error {
	have, _, err := tx.Tags(resource, page.Query{Limit: quota.Most(quota.Tags)})
	if err != nil {
		return wrap(err, "list tags")
	}
	keys := map[string]bool{}
	for _, t := range have {
		keys[t.Key] = true
	}
	given := map[string]bool{}
	for _, t := range tags {
		switch {
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return fault.Invalidf("The tag key %s begins with aws:, which is kept for AWS.", t.Key)
		case given[t.Key]:
			return fault.Invalidf("The tag key %s is given twice.", t.Key)
		}
		given[t.Key], keys[t.Key] = true, true
	}
	if limits.Exceeds(quota.Tags, len(keys)) {
		return limits.Reached(quota.Tags)
	}
	for _, t := range tags { // no more than a resource may have
		if err := tx.PutTag(resource, t); err != nil {
			return wrap(err, "store tag")
		}
	}
	return nil
}

// Untag takes tags off a resource; those that it does not have are passed over.
func Untag(tx *store.Tx, resource string, keys []string) error {
	for _, k := range keys { // at most 75, by the model
		if err := tx.DeleteTag(resource, k); err != nil {
			return wrap(err, "delete tag")
		}
	}
	return nil
}
