package endpoint

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"sallyport/internal/page"
	"sallyport/internal/quota"
	"sallyport/internal/store"
)

// tagCache keeps the tags of the resource that is being decided on: policies name several of them, layer by layer.
type tagCache struct {
	resource string
	tags     []store.Tag
}

// tagged computes the condition keys about tags: of the resource, and in the request. Their keys are compared without case.
func (c conditions) tagged(key string) ([]string, bool) {
	if name, ok := strings.CutPrefix(key, "aws:resourcetag/"); ok {
		return find(c.resourceTags(), name)
	}
	if name, ok := strings.CutPrefix(key, "aws:requesttag/"); ok {
		tags, _ := requestTags(c.in)
		return find(tags, name)
	}
	if key == "aws:tagkeys" {
		_, keys := requestTags(c.in)
		return keys, len(keys) > 0
	}
	return nil, false
}

func (c conditions) resourceTags() []store.Tag {
	if c.call.Tx == nil || c.resource == "" || c.resource == "*" {
		return nil
	}
	if c.tags.resource != c.resource {
		tags, _, err := c.call.Tx.Tags(c.resource, page.Query{Limit: quota.Most(quota.Tags)})
		if err != nil { // the transaction is dead, and so is the call
			return nil
		}
		c.tags.resource, c.tags.tags = c.resource, tags
	}
	return c.tags.tags
}

func find(tags []store.Tag, name string) ([]string, bool) {
	for _, t := range tags {
		if strings.EqualFold(t.Key, name) {
			return []string{t.Value}, true
		}
	}
	return nil, false
}

// requestTags finds the tags in a request by what all services call them: a list Tags of {Key, Value}, a list TagKeys.
func requestTags(in any) (tags []store.Tag, keys []string) {
	v := reflect.Indirect(reflect.ValueOf(in))
	if v.Kind() != reflect.Struct {
		return nil, nil
	}
	names := map[string]bool{}
	if list := v.FieldByName("Tags"); list.Kind() == reflect.Slice {
		for _, t := range list.Seq2() {
			key, value := t.FieldByName("Key").String(), t.FieldByName("Value").String()
			tags = append(tags, store.Tag{Key: key, Value: value})
			names[key] = true
		}
	}
	if list := v.FieldByName("TagKeys"); list.Kind() == reflect.Slice {
		for _, k := range list.Seq2() {
			names[k.String()] = true
		}
	}
	return tags, slices.Sorted(maps.Keys(names))
}
