// Package breach knows passwords that have become public, which attackers try first (NIST SP 800-63B §3.1.1.2).
//
// Some 49,000 of the most common are embedded. An operator may add the whole Pwned Passwords list as a file: 40 GB and more,
// which is searched where it lies, and never loaded.
//
// Only the whole password counts: no part of it, and no spelling that resembles one. The embedded list takes upper and lower
// case for the same; the file holds passwords exactly as they were leaked.
//
// To renew the embedded list, set the version and hash in gen/main.go and run, in this folder,
//
//	npm pack @zxcvbn-ts/language-common@VERSION
//	go run ./gen zxcvbn-ts-language-common-VERSION.tgz
package breach

import (
	"compress/gzip"
	"crypto/sha1" // what the file is made of; nothing rests on its strength
	_ "embed"     // for the list
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"sallyport/internal/fault"
)

//go:embed common.txt.gz
var packed string

// List is what is known to be public. It is safe for concurrent use.
type List struct {
	file *os.File // nil: none
	size int64
}

// Open makes a list of the embedded passwords and, unless its name is "", those of a file in the format of Pwned Passwords:
// one SHA-1 hash of a password in hexadecimal a line, with or without a count behind a colon, in the order of the hashes. Open
// reads samples of the file, so that a wrong one is noticed at the start; it is a fault of kind Invalid. A file that is
// replaced is noticed at the next Open.
func Open(file string) (*List, error) {
	if file == "" {
		return &List{}, nil
	}
	info, err := os.Stat(file) // first, as opening a pipe would wait
	if err != nil {
		return nil, fault.Invalidf("The list of breached passwords cannot be read: %v.", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fault.Invalidf("The list of breached passwords %s is not a regular file.", file)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fault.Invalidf("The list of breached passwords cannot be read: %v.", err)
	}
	if err := check(f, info.Size()); err != nil {
		_ = f.Close() // it was only read
		return nil, fault.Invalidf("The list of breached passwords in %s will not do: %v. Expected is the SHA-1 list of Pwned Passwords "+
			"ordered by hash: one line for each password with 40 hexadecimal digits, which may be followed by a colon and a count.", file, err)
	}
	return &List{file: f, size: info.Size()}, nil
}

// Close closes the file.
func (l *List) Close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// Has says whether a password is in one of the lists. It fails only when the file cannot be read, or has changed under the
// program's hands.
func (l *List) Has(password string) (bool, error) {
	if _, found := slices.BinarySearch(common(), strings.ToLower(password)); found {
		return true, nil
	}
	if l.file == nil {
		return false, nil
	}
	found, err := search(l.file, l.size, sha1.Sum([]byte(password)))
	if err != nil {
		return false, fmt.Errorf("search the list of breached passwords %s: %w", l.file.Name(), err)
	}
	return found, nil
}

// common is the embedded list, in lower case and sorted. What is embedded was tested when the program was built, so that a
// failure is no condition that a caller could handle.
var common = sync.OnceValue(func() []string {
	z, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		panic(fmt.Errorf("the embedded list of passwords is damaged: %w", err))
	}
	text, err := io.ReadAll(z)
	if err != nil {
		panic(fmt.Errorf("the embedded list of passwords is damaged: %w", err))
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
})
