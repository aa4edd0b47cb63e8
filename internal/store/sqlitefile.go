package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"sallyport/internal/fault"
)

// applicationID marks an SQLite file as ours, in its header (https://sqlite.org/fileformat2.html#application_id): "SLYP".
const applicationID = 0x534c5950

// Where the header of an SQLite file has its magic string and the application id.
const (
	liteMagic  = "SQLite format 3\x00"
	liteHeader = 100
	idOffset   = 68
)

// lockFile takes the lock that makes the database this process's own. It is a file beside the database, because closing
// any descriptor of the database itself would drop SQLite's own locks. The lock goes with the process, however it ends.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, unusable(path, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fault.Conflictf("The database %s is in use by another process: stop it first, or choose another data directory.", path)
		}
		return nil, unusable(path, err)
	}
	return f, nil
}

// unusable says why a data directory cannot be used.
func unusable(path string, err error) error {
	dir := filepath.Dir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.Invalidf("The data directory %s does not exist: create it, or choose another.", dir)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fault.Invalidf("The data directory %s cannot be written by this user: change its owner or mode, or choose another.", dir)
	case errors.Is(err, syscall.ENOTDIR):
		return fault.Invalidf("The data directory %s is not a directory: choose another.", dir)
	}
	return fmt.Errorf("open %s: %w", path, err)
}

// claimFile makes a new database file, readable by this user only, or looks whether the one that is there is ours.
// It runs before SQLite has the file open.
func claimFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return unusable(path, err)
	}
	defer f.Close()
	head := make([]byte, liteHeader)
	n, err := io.ReadFull(f, head)
	switch {
	case errors.Is(err, io.EOF): // new, or abandoned before anything was written
		return markFile(path)
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return unusable(path, err)
	case n < liteHeader || string(head[:len(liteMagic)]) != liteMagic:
		return fault.Invalidf("The file %s is not a database: choose another data directory.", path)
	case binary.BigEndian.Uint32(head[idOffset:]) != applicationID:
		return fault.Invalidf("The file %s is the database of another program: choose another data directory.", path)
	}
	return nil
}

// markFile writes the application id. That is done before the file goes over to a WAL, which could be lost.
func markFile(path string) error {
	db, err := pool(path, plain, 1)
	if err != nil {
		return err
	}
	defer db.Close()
	return mark(db, path)
}

func mark(db *sql.DB, path string) error {
	if _, err := db.ExecContext(context.Background(), fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
		return fmt.Errorf("mark %s as ours: %w", path, err)
	}
	return nil
}
