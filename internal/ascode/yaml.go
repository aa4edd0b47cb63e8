package ascode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

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
	d.AlertRules = slices.Clone(d.AlertRules)
	for i, a := range d.AlertRules {
		d.AlertRules[i].Pattern = indented(a.Pattern)
	}
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(d), enc.Close()); err != nil {
		return fmt.Errorf("write document: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// MarshalYAML begins with the name, and has the rest in alphabetical order.
func (u User) MarshalYAML() (any, error) {
	out := &yaml.Node{Kind: yaml.MappingNode}
	for _, k := range append([]string{"UserName"}, sortedKeys(u)...) {
		if k == "UserName" && len(out.Content) > 0 {
			continue
		}
		var key, value yaml.Node
		if err := errors.Join(key.Encode(k), value.Encode(u[k])); err != nil {
			return nil, err
		}
		out.Content = append(out.Content, &key, &value)
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
	if err := oneTree(text); err != nil {
		return Document{}, err
	}
	var d Document
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&d); err != nil {
		return d, notUnderstood(err)
	}
	return normal(d)
}

// oneTree refuses what makes a small document a large one, and what is none or several.
func oneTree(text []byte) error {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return fault.Invalidf("The document is empty.")
	case err != nil:
		return notUnderstood(err)
	case aliased(&doc):
		return fault.Invalidf("The document has YAML anchors or aliases (& and *), which are not read: say things where they belong.")
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return fault.Invalidf("The file goes on after the document's end: one document is read.")
	}
	return nil
}

// aliased says whether a tree has anchors or aliases.
func aliased(n *yaml.Node) bool {
	return n.Anchor != "" || n.Kind == yaml.AliasNode || slices.ContainsFunc(n.Content, aliased)
}

var goType = regexp.MustCompile(` (in|into) (type )?(ascode\.|map\[|\[\]|string|int|bool)\S*`)

// notUnderstood is the library's error without the names of our types.
func notUnderstood(err error) error {
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "yaml: "), "unmarshal errors:\n")
	return fault.Invalidf("The document is not understood: %s.", strings.TrimSpace(goType.ReplaceAllString(text, " here")))
}
