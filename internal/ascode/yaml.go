package ascode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"sallyport/internal/fault"
)

// maxDocument bounds a document, in bytes.
const maxDocument = 64 << 20

// Write writes a document for people to read, with head as comment lines before it.
func Write(w io.Writer, d Document, head ...string) error {
	var b bytes.Buffer
	for _, line := range head {
		fmt.Fprintln(&b, strings.TrimRight("# "+line, " "))
	}
	d.PermissionSets = slices.Clone(d.PermissionSets)
	for i, p := range d.PermissionSets {
		d.PermissionSets[i].InlinePolicy = indented(p.InlinePolicy)
	}
	enc := yaml.NewEncoder(&b, yaml.Indent(2), yaml.IndentSequence(true), yaml.UseLiteralStyleIfMultiline(true))
	if err := enc.Encode(d); err != nil {
		return fmt.Errorf("write document: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// MarshalYAML begins with the name, and has the rest in alphabetical order.
func (u User) MarshalYAML() (any, error) {
	out := yaml.MapSlice{{Key: "UserName", Value: u["UserName"]}}
	for _, k := range sortedKeys(u) {
		if k != "UserName" {
			out = append(out, yaml.MapItem{Key: k, Value: u[k]})
		}
	}
	return out, nil
}

// indented is JSON as people read it; text that is none stays.
func indented(text string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") != nil {
		return text
	}
	return b.String()
}

// Parse reads a document in its normal form. A fault tells where it breaks a rule.
func Parse(r io.Reader) (Document, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err != nil {
		return Document{}, fmt.Errorf("read document: %w", err)
	}
	if len(text) > maxDocument {
		return Document{}, fault.Newf(fault.TooLarge, "The document is larger than %d MiB.", maxDocument>>20)
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return Document{}, notUnderstood(err)
	}
	var found finder
	var nodes []ast.Node
	for _, doc := range file.Docs {
		if doc.Body != nil {
			nodes = append(nodes, doc.Body)
			ast.Walk(&found, doc.Body)
		}
	}
	switch {
	case found.alias:
		return Document{}, fault.Invalidf("The document has YAML anchors or aliases (& and *), which are not read: say things where they belong.")
	case len(nodes) == 0:
		return Document{}, fault.Invalidf("The document is empty.")
	case len(nodes) > 1:
		return Document{}, fault.Invalidf("The file has %d documents: one is read.", len(nodes))
	}
	var d Document
	if err := yaml.NodeToValue(nodes[0], &d, yaml.Strict()); err != nil {
		return d, notUnderstood(err)
	}
	return normal(d)
}

func notUnderstood(err error) error {
	return fault.Invalidf("The document is not understood: %s", yaml.FormatError(err, false, true))
}

// finder looks for what makes a small document a large one.
type finder struct{ alias bool }

// Visit implements [ast.Visitor].
func (f *finder) Visit(n ast.Node) ast.Visitor {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		f.alias = true
	}
	return f
}
