// Package bucket keeps objects by their key, in a folder of this machine or on an S3 server elsewhere.
package bucket

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"
)

// ErrNotFound says that there is no object with the key.
var ErrNotFound = errors.New("bucket: no such object")

// Object is an object as a list tells of it.
type Object struct {
	Key      string
	Size     int64
	Modified time.Time
}

// Content is an object that is read. Close it.
type Content struct {
	io.ReadCloser
	Object
	Meta map[string]string // by lower-case name
}

// Bucket is a place of objects.
type Bucket interface {
	// Put writes an object, or replaces it. It is there wholly and durably when Put returns nil; else the old one may be there.
	Put(ctx context.Context, key string, body []byte, meta map[string]string) error
	// Get opens an object; ErrNotFound.
	Get(ctx context.Context, key string) (*Content, error)
	// List returns up to limit objects whose keys begin with prefix and come after the given one, in the order of their bytes.
	List(ctx context.Context, prefix, after string, limit int) (list []Object, more bool, err error)
	// Delete removes an object, if there is one.
	Delete(ctx context.Context, key string) error
}

// maxKey is S3's bound.
const maxKey = 1024

// Valid tells whether a key is one that a folder can keep: a relative path without empty or dotted parts, and not one of our own names.
func Valid(key string) bool {
	if key == "" || len(key) > maxKey || strings.ContainsAny(key, "\x00\\") {
		return false
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || strings.HasPrefix(part, ".") || len(part) > 255-len(metaSuffix) {
			return false
		}
	}
	return !strings.HasSuffix(key, metaSuffix)
}

// File is the object as a file that can be read from any place; ok is false where it comes over a line.
func (c *Content) File() (file io.ReadSeeker, ok bool) {
	file, ok = c.ReadCloser.(io.ReadSeeker)
	return file, ok
}
