// Command gen makes the embedded list of common passwords from the npm package @zxcvbn-ts/language-common, whose file is its
// argument.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// The package's pin. A package with another hash is refused.
const (
	version = "4.1.3"
	hash    = "bf3027c16c069d7877e25dc8751bc819e10e479afcc5ee1a323eb2ab73129ca9"
)

const output = "common.txt.gz"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./gen zxcvbn-ts-language-common-"+version+".tgz")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(file string) error {
	pack, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the package: %w", err)
	}
	if sum := sha256.Sum256(pack); hex.EncodeToString(sum[:]) != hash {
		return fmt.Errorf("%s has the SHA-256 %x, and %s is pinned; if this is a wanted update, change the pin", file, sum, hash)
	}
	words, err := readPackage(pack)
	if err != nil {
		return err
	}
	list, err := write(words)
	if err != nil {
		return err
	}
	return os.WriteFile(output, list, 0o644)
}

// readPackage finds the passwords in the package.
func readPackage(pack []byte) (words []string, err error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(pack))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	files := tar.NewReader(unzipped)
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the package has no src/passwords.json")
		}
		if err != nil {
			return nil, fmt.Errorf("unpack: %w", err)
		}
		if !strings.HasSuffix(header.Name, "/src/passwords.json") {
			continue
		}
		if err := json.NewDecoder(files).Decode(&words); err != nil {
			return nil, fmt.Errorf("read the passwords: %w", err)
		}
		return words, nil
	}
}

// write makes the list: lower case, sorted, each once, one a line. It carries no time of its own, so that equal input gives
// equal bytes.
func write(words []string) ([]byte, error) {
	list := make([]string, 0, len(words))
	for _, w := range words {
		if w == "" || strings.ContainsAny(w, "\r\n") {
			return nil, fmt.Errorf("the password %q does not fit on a line", w)
		}
		list = append(list, strings.ToLower(w))
	}
	slices.Sort(list)
	list = slices.Compact(list)
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(z, strings.Join(list, "\n")+"\n"); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	err = z.Close()
	return out.Bytes(), err
}
