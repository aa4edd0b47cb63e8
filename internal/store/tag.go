package store

import "sallyport/internal/page"

// Tag is a label of a resource.
type Tag struct{ Key, Value string }

const (
	tagsAfter  query = `SELECT key, value FROM tag WHERE resource = $1 AND key > $2 ORDER BY key LIMIT $3`
	putTag     query = `INSERT INTO tag (resource, key, value) VALUES ($1, $2, $3) ON CONFLICT (resource, key) DO UPDATE SET value = excluded.value`
	deleteTag  query = `DELETE FROM tag WHERE resource = $1 AND key = $2`
	deleteTags query = `DELETE FROM tag WHERE resource = $1`
)

func scanTag(r row) (t Tag, err error) {
	err = r.Scan(&t.Key, &t.Value)
	return t, err
}

// Tags lists the tags of a resource by key.
func (tx *Tx) Tags(resource string, q page.Query) ([]Tag, page.Key, error) {
	rows, err := list(tx, tagsAfter, scanTag, resource, at(q.After, 0), q.Limit+1)
	if err != nil {
		return nil, nil, err
	}
	rows, next := page.Trim(rows, q.Limit, func(t Tag) page.Key { return page.Key{t.Key} })
	return rows, next, nil
}

// PutTag gives a resource a tag, in place of the one with its key.
func (tx *Tx) PutTag(resource string, t Tag) error {
	_, err := tx.exec(putTag, resource, t.Key, t.Value)
	return err
}

// DeleteTag takes a tag off a resource, if it has it.
func (tx *Tx) DeleteTag(resource, key string) error {
	_, err := tx.exec(deleteTag, resource, key)
	return err
}

// DeleteTags takes all tags off a resource that goes.
func (tx *Tx) DeleteTags(resource string) error {
	_, err := tx.exec(deleteTags, resource)
	return err
}
