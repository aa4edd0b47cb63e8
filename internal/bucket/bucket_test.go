package bucket_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/bucket"
	"sallyport/internal/bucket/buckettest"
	"sallyport/internal/clock/clocktest"
)

func buckets(t *testing.T) map[string]bucket.Bucket {
	t.Helper()
	dir, err := bucket.Make(filepath.Join(t.TempDir(), "a", "b"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	c := clocktest.At(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
	srv := httptest.NewServer(&buckettest.Server{Bucket: "logs", Secret: "hush", Clock: c})
	t.Cleanup(srv.Close)
	remote, err := bucket.NewS3(bucket.S3Config{Endpoint: srv.URL, Region: "eu-test-1", Name: "logs", PathStyle: true, AccessKey: "AKIA", Secret: "hush", Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]bucket.Bucket{"folder": dir, "S3": remote}
}

func read(t *testing.T, b bucket.Bucket, key string) (string, map[string]string) {
	t.Helper()
	o, err := b.Get(t.Context(), key)
	if err != nil {
		t.Fatal(key, err)
	}
	defer o.Close()
	text, err := io.ReadAll(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), o.Meta
}

// TestBuckets: both kinds keep what they are given, under names that need care, and list in the order of keys.
func TestBuckets(t *testing.T) {
	t.Parallel()
	for name, b := range buckets(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			keys := []string{"a/b.gz", "a/b/c", "a-b/x y+z", "a/é&=", "b", "a/b/d"}
			for i, k := range keys {
				if err := b.Put(ctx, k, []byte("old"), nil); err != nil {
					t.Fatal(k, err)
				}
				if err := b.Put(ctx, k, bytes.Repeat([]byte{'x'}, i), map[string]string{"signature": k[:1], "signature-algorithm": "S"}); err != nil {
					t.Fatal(k, err)
				}
			}
			for i, k := range keys {
				if text, meta := read(t, b, k); text != strings.Repeat("x", i) || meta["signature"] != k[:1] || meta["signature-algorithm"] != "S" {
					t.Errorf("%s: %q, %v", k, text, meta)
				}
			}
			slices.Sort(keys)
			for _, c := range []struct {
				prefix, after string
				limit         int
				want          []string
				more          bool
			}{
				{"", "", 10, keys, false},
				{"a/", "", 10, keys[1:5], false},
				{"a/", "a/b.gz", 10, keys[2:5], false},
				{"", "", 2, keys[:2], true},
				{"a/b/", "a/b/c", 1, keys[3:4], false},
				{"c", "", 10, nil, false},
				{"", "z", 10, nil, false},
			} {
				list, more, err := b.List(ctx, c.prefix, c.after, c.limit)
				var got []string
				for _, o := range list {
					got = append(got, o.Key)
				}
				if err != nil || !slices.Equal(got, c.want) || more != c.more {
					t.Errorf("list %q after %q: %q, %v, %v; want %q", c.prefix, c.after, got, more, err, c.want)
				}
			}
			if err := b.Delete(ctx, "b"); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Get(ctx, "b"); !errors.Is(err, bucket.ErrNotFound) {
				t.Errorf("deleted: %v", err)
			}
			if err := b.Delete(ctx, "b"); err != nil {
				t.Errorf("deleted twice: %v", err)
			}
		})
	}
}

// TestEmptyFolders: with the last object of a folder the folder goes, and no other.
func TestEmptyFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, err := bucket.Make(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, key := range []string{"a/b/1", "a/b/2", "a/c/1"} {
		if err := b.Put(t.Context(), key, []byte("x"), map[string]string{"signature": "s"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct{ key, gone, left string }{{"a/b/1", "a/b/1.meta", "a/b"}, {"a/b/2", "a/b", "a/c"}, {"a/c/1", "a", ""}} {
		if err := b.Delete(t.Context(), step.key); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, step.gone)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left: %v", step.gone, err)
		}
		if _, err := os.Stat(filepath.Join(dir, step.left)); err != nil {
			t.Errorf("%s: %v", step.left, err)
		}
	}
}

// TestFolderIsAllThereIs: no key reaches out of a bucket's folder, or to what lies beside objects.
func TestFolderIsAllThereIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("s"), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := bucket.Make(filepath.Join(dir, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := os.Symlink("../secret", filepath.Join(dir, "in", "link")); err != nil {
		t.Fatal(err)
	}
	if err := b.Put(t.Context(), "o", nil, map[string]string{"a": "b"}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"../secret", "/secret", "a/../../secret", "link", "", ".", "a//b", "o.meta", ".tmp-1", "a\x00", strings.Repeat("x", 2000), "o/"} {
		if _, err := b.Get(t.Context(), key); err == nil {
			t.Errorf("get %.20q", key)
		}
		if err := b.Put(t.Context(), key, nil, nil); err == nil && key != "link" {
			t.Errorf("put %.20q", key)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "secret")); err != nil || string(text) != "s" {
		t.Errorf("%q, %v", text, err)
	}
}

// TestRefused: what the other server says is told, and a wrong secret is one of it.
func TestRefused(t *testing.T) {
	t.Parallel()
	c := clocktest.At(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
	srv := httptest.NewServer(&buckettest.Server{Bucket: "logs", Secret: "hush", Clock: c})
	defer srv.Close()
	for _, cfg := range []bucket.S3Config{
		{Name: "logs", Secret: "loud", PathStyle: true}, {Name: "none", Secret: "hush", PathStyle: true},
	} {
		cfg.Endpoint, cfg.Region, cfg.AccessKey, cfg.Clock = srv.URL, "eu-test-1", "AKIA", c
		b, err := bucket.NewS3(cfg)
		if err != nil {
			t.Fatal(err)
		}
		var said *bucket.S3Error
		if err := b.Put(t.Context(), "k", []byte("x"), nil); !errors.As(err, &said) || said.Code == "" {
			t.Errorf("%v", err)
		}
	}
	for _, bad := range []string{"", "ftp://x", "https://", "https://u:p@x", "https://x?y"} {
		if _, err := bucket.NewS3(bucket.S3Config{Endpoint: bad}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
