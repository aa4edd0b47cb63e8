package awsconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"sallyport/internal/fault"
)

const maxFile = 8 << 20

// WriteFile merges b into the file at path and writes it when that changes anything. Readers see the old file or the new
// one, never a part: the text goes to a temporary file beside it, which is then renamed. A symbolic link stays, and what
// it points to is replaced. An existing file keeps its mode; a new one is for its owner alone.
func WriteFile(path string, b Block, id string) (Changes, error) {
	target, err := resolve(path)
	if err != nil {
		return Changes{}, err
	}
	existing, mode, err := read(target)
	if err != nil {
		return Changes{}, err
	}
	merged, changes, err := Merge(existing, b, id)
	if err != nil {
		return Changes{}, fmt.Errorf("%s: %w", path, err)
	}
	if bytes.Equal(merged, existing) {
		return changes, nil
	}
	return changes, replace(target, existing, merged, mode)
}

// resolve follows symbolic links, which people use to keep such files in a repository.
func resolve(path string) (string, error) {
	target, err := filepath.EvalSymlinks(path)
	if err == nil {
		return target, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("find configuration file: %w", err)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return "", fault.Conflictf("%s is a symbolic link to a file that does not exist: create that file, or delete the link", path)
	}
	return path, nil
}

func read(path string) ([]byte, fs.FileMode, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0o600, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read configuration file: %w", err)
	}
	if !info.Mode().IsRegular() { // before it is opened: opening a pipe would wait
		return nil, 0, fault.Conflictf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("read configuration file: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, 0, fmt.Errorf("read configuration file: %w", err)
	}
	if len(text) > maxFile {
		return nil, 0, fault.Conflictf("%s is larger than %d MiB", path, maxFile>>20)
	}
	return text, info.Mode().Perm(), nil
}

// replace swaps old for text, unless somebody else has written meanwhile: AWS's own tools take no lock.
func replace(path string, old, text []byte, mode fs.FileMode) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create directory of configuration file: %w", err)
	}
	temp, err := os.CreateTemp(dir, filepath.Base(path)+".sallyport-*")
	if err != nil {
		return fmt.Errorf("write configuration file: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	_, errWrite := temp.Write(text)
	if err := errors.Join(errWrite, temp.Chmod(mode), temp.Sync(), temp.Close()); err != nil {
		return fmt.Errorf("write configuration file: %w", err)
	}
	now, _, err := read(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, old) {
		return fault.Conflictf("%s was changed by another program at the same time: run the command again", path)
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return fmt.Errorf("write configuration file: %w", err)
	}
	syncDir(dir)
	return nil
}

// syncDir makes the rename last through a loss of power. Not every system can, and the file is whole either way.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
