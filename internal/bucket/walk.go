package bucket

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// List walks the folders in the order of keys, and only those that can hold what is asked for.
func (d *Directory) List(ctx context.Context, prefix, after string, limit int) (list []Object, more bool, err error) {
	w := &walker{d: d, ctx: ctx, prefix: prefix, after: after, limit: limit}
	if err := w.walk(""); err != nil {
		return nil, false, fmt.Errorf("list bucket: %w", err)
	}
	return w.found, w.more, nil
}

type walker struct {
	d             *Directory
	ctx           context.Context
	prefix, after string
	limit         int
	found         []Object
	more          bool
}

// entry is a file or folder as keys see it: a folder's name ends with a slash, and sorts so.
type entry struct {
	key string
	fs.DirEntry
}

// walk goes through a folder, whose key is empty or ends with a slash.
func (w *walker) walk(folder string) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	entries, err := w.entries(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch {
		case w.more:
			return nil
		case e.IsDir():
			if w.inside(e.key) {
				if err := w.walk(e.key); err != nil {
					return err
				}
			}
		case !strings.HasPrefix(e.key, w.prefix) || e.key <= w.after || !Valid(e.key) || !e.Type().IsRegular():
		case len(w.found) == w.limit:
			w.more = true
		default:
			st, err := e.Info()
			if err != nil {
				continue // it has just gone
			}
			w.found = append(w.found, Object{e.key, st.Size(), st.ModTime().UTC()})
		}
	}
	return nil
}

// inside tells whether a folder can hold what is asked for.
func (w *walker) inside(folder string) bool {
	if !strings.HasPrefix(folder, w.prefix) && !strings.HasPrefix(w.prefix, folder) {
		return false
	}
	return folder > w.after || strings.HasPrefix(w.after, folder)
}

func (w *walker) entries(folder string) ([]entry, error) {
	name := strings.TrimSuffix(folder, "/")
	if name == "" {
		name = "."
	}
	list, err := fs.ReadDir(w.d.root.FS(), name)
	if err != nil {
		return nil, err
	}
	entries := make([]entry, 0, len(list))
	for _, e := range list {
		key := folder + e.Name()
		if e.IsDir() {
			key += "/"
		}
		entries = append(entries, entry{key, e})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	return entries, nil
}
