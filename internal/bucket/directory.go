package bucket

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
)

// metaSuffix ends the name of the file beside an object's that has its metadata. It is written first: an object that is there has it.
const metaSuffix = ".meta"

// Directory is a bucket in a folder. Nothing outside of it can be reached by any key.
type Directory struct{ root *os.Root }

// Make opens a folder of a bucket, and makes it where there is none.
func Make(dir string) (*Directory, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make bucket: %w", err)
	}
	return Open(dir)
}

// Open opens a folder of a bucket.
func Open(dir string) (*Directory, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	return &Directory{root}, nil
}

// Close closes the folder.
func (d *Directory) Close() error { return d.root.Close() }

// Put writes a file beside its place, syncs it, and moves it there. A crash leaves the whole object or none; what it leaves beside
// has a name made of the contents, which the next attempt takes up.
func (d *Directory) Put(_ context.Context, key string, body []byte, meta map[string]string) error {
	if !Valid(key) {
		return fmt.Errorf("bucket: the key %q will not do", key)
	}
	if err := d.folder(path.Dir(key)); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if len(meta) > 0 {
		text, err := json.Marshal(meta)
		if err != nil {
			return fmt.Errorf("encode metadata: %w", err)
		}
		if err := d.write(key+metaSuffix, append(text, '\n')); err != nil {
			return fmt.Errorf("write metadata: %w", err)
		}
	}
	if err := d.write(key, body); err != nil {
		return fmt.Errorf("write object: %w", err)
	}
	return nil
}

func (d *Directory) write(name string, body []byte) (err error) {
	sum := sha256.Sum256(append([]byte(name), body...))
	temp := path.Join(path.Dir(name), ".tmp-"+hex.EncodeToString(sum[:12]))
	f, err := d.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	if err == nil {
		err = f.Truncate(int64(len(body)))
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := d.root.Rename(temp, name); err != nil {
		return err
	}
	return d.sync(path.Dir(name))
}

// folder makes a folder and those above it, durably.
func (d *Directory) folder(name string) error {
	if name == "." {
		return nil
	}
	if _, err := d.root.Stat(name); err == nil {
		return nil
	}
	if err := d.folder(path.Dir(name)); err != nil {
		return err
	}
	if err := d.root.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return d.sync(path.Dir(name))
}

func (d *Directory) sync(name string) error {
	f, err := d.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Get opens an object.
func (d *Directory) Get(_ context.Context, key string) (*Content, error) {
	if !Valid(key) {
		return nil, ErrNotFound
	}
	f, err := d.root.Open(key)
	if err != nil {
		return nil, missing(err)
	}
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return nil, errors.Join(missing(err), ErrNotFound, f.Close())
	}
	meta, err := d.meta(key)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Content{ReadCloser: f, Object: Object{key, st.Size(), st.ModTime().UTC()}, Meta: meta}, nil
}

// maxMeta bounds metadata that is read, as S3 does that which is written.
const maxMeta = 2 << 10

func (d *Directory) meta(key string) (map[string]string, error) {
	f, err := d.root.Open(key + metaSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read metadata: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxMeta))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read metadata: %w", err)
	}
	meta := map[string]string{}
	if json.Unmarshal(bytes.TrimSpace(text), &meta) != nil {
		return nil, nil // somebody has spoilt it: then there is none
	}
	return meta, nil
}

// Delete removes an object and what is beside it, and folders that are empty then.
func (d *Directory) Delete(_ context.Context, key string) error {
	if !Valid(key) {
		return nil
	}
	for _, name := range []string{key, key + metaSuffix} {
		if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("delete object: %w", err)
		}
	}
	folder := path.Dir(key)
	for folder != "." && d.root.Remove(folder) == nil {
		folder = path.Dir(folder)
	}
	if err := d.sync(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete object: %w", err)
	}
	return nil
}

func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("open object: %w", err)
	}
	return nil
}
