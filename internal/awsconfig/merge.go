package awsconfig

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"sallyport/internal/fault"
)

// Changes tells what a merge does to the sections of the block: "profile x", "sso-session y", "services z".
type Changes struct {
	Added, Updated, Removed []string
}

// None reports whether the file stays as it is.
func (c Changes) None() bool { return len(c.Added)+len(c.Updated)+len(c.Removed) == 0 }

var (
	idForm = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,100}$`)
	marker = regexp.MustCompile(`^# (>>>|<<<) sallyport (\S+) (>>>|<<<)$`)
)

func startMarker(id string) string { return "# >>> sallyport " + id + " >>>" }
func endMarker(id string) string   { return "# <<< sallyport " + id + " <<<" }

const notice = "# Written by `sallyport aws-config`. Changes between these two lines are lost at its next run."

// Merge puts b in the place of the block marked with id, or at the end of existing, and takes that block out when b is
// zero. Everything else keeps its bytes, except that a last line without line end gets one when the block follows it.
// Nothing is merged, and the fault says why, when the file's markers are damaged or when a section of the block exists
// outside it: duplicate sections make botocore, and so the whole AWS CLI, refuse the file.
func Merge(existing []byte, b Block, id string) ([]byte, Changes, error) {
	if !idForm.MatchString(id) {
		return nil, Changes{}, fault.Invalidf("%q cannot mark a block: use letters, digits and any of ._:-", id)
	}
	sections, err := b.sections()
	if err != nil {
		return nil, Changes{}, err
	}
	f, err := split(existing, id)
	if err != nil {
		return nil, Changes{}, err
	}
	if err := f.checkClashes(sections); err != nil {
		return nil, Changes{}, err
	}
	text, err := Render(b)
	if err != nil {
		return nil, Changes{}, err
	}
	changes := compare(f.block, text)
	if len(sections) > 0 {
		text = startMarker(id) + "\n" + notice + "\n" + text + endMarker(id) + "\n"
	}
	if f.crlf {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	before := f.before
	if text != "" && len(before) > 0 && before[len(before)-1] != '\n' {
		before = append(slices.Clone(before), lineEnd(f.crlf)...)
	}
	return slices.Concat(before, []byte(text), f.after), changes, nil
}

func lineEnd(crlf bool) string {
	if crlf {
		return "\r\n"
	}
	return "\n"
}

// file is an existing file, cut where the own block is, or would be. The block is with its markers.
type file struct {
	before, block, after []byte
	crlf                 bool
}

// split finds the own block. The blocks of other ids must be well-formed too: a lost marker leaves no way to tell whose
// the lines around it are.
func split(existing []byte, id string) (file, error) {
	f := file{before: existing, crlf: usesCRLF(existing)}
	var open string // id of the block around the line
	var start, end, line int
	for text := range bytes.Lines(existing) {
		line++
		end += len(text)
		content := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
		if strings.Contains(content, "\r") || text[len(text)-1] == '\r' {
			return file{}, fault.Conflictf("line %d holds a carriage return without a line feed, which some programs take for a line end: remove it", line)
		}
		m := marker.FindStringSubmatch(content)
		switch {
		case m == nil:
		case m[1] == ">>>" && m[3] == ">>>" && open == "" && (m[2] != id || f.block == nil):
			open, start = m[2], end-len(text)
		case m[1] == "<<<" && m[3] == "<<<" && open == m[2]:
			if open == id {
				f.before, f.block, f.after = existing[:start], existing[start:end], existing[end:]
			}
			open = ""
		default:
			return file{}, damaged(line)
		}
	}
	if open != "" {
		return file{}, fault.Conflictf("the block of sallyport that begins with %q has lost its last line: add %q after its last line, or delete what is left of it", startMarker(open), endMarker(open))
	}
	return f, f.checkAfter()
}

// checkAfter refuses lines that have fallen under the block's last section, and would fall under another without it.
func (f file) checkAfter() error {
	line := f.firstLineAfter()
	for text := range bytes.Lines(f.after) {
		if _, ok := sectionHeader(string(text)); ok {
			return nil
		}
		if f.block != nil && !blank(string(text)) {
			return fault.Conflictf("line %d follows the block of sallyport but is in no section of its own: put it into one, or move it up", line)
		}
		line++
	}
	return nil
}

func (f file) firstLineAfter() int {
	return 1 + bytes.Count(f.before, []byte("\n")) + bytes.Count(f.block, []byte("\n"))
}

func damaged(line int) error {
	return fault.Conflictf("line %d is a marker of sallyport without its counterpart: markers come in pairs of >>> and <<<; repair or delete what is left of the block", line)
}

func usesCRLF(text []byte) bool {
	i := bytes.IndexByte(text, '\n')
	return i > 0 && text[i-1] == '\r'
}

func blank(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || line[0] == '#' || line[0] == ';'
}

// sectionHeader reads a header as botocore does: greedily to the last bracket, then as shell words, so that
// [profile "a"] and [profile a] are one.
func sectionHeader(line string) (string, bool) {
	line = strings.TrimSpace(line)
	end := strings.LastIndexByte(line, ']')
	if end < 2 || line[0] != '[' {
		return "", false
	}
	words := strings.Fields(strings.NewReplacer(`"`, "", `'`, "", `\`, "").Replace(line[1:end]))
	return strings.Join(words, " "), true
}

func (f file) checkClashes(own []section) error {
	mine := make(map[string]bool, len(own))
	for _, s := range own {
		mine[s.header] = true
	}
	check := func(text []byte, line int) error {
		for text := range bytes.Lines(text) {
			if header, ok := sectionHeader(string(text)); ok && mine[header] {
				return fault.Conflictf("line %d already has a section [%s], and two of the same name would break the AWS CLI: rename or delete that one, or choose other names for these", line, header)
			}
			line++
		}
		return nil
	}
	if err := check(f.before, 1); err != nil {
		return err
	}
	return check(f.after, f.firstLineAfter())
}

// compare tells the sections of the old and the new text apart.
func compare(old []byte, text string) Changes {
	before, after := bodies(string(old)), bodies(text)
	var c Changes
	for _, header := range slices.Sorted(maps.Keys(after)) {
		if body, ok := before[header]; !ok {
			c.Added = append(c.Added, header)
		} else if body != after[header] {
			c.Updated = append(c.Updated, header)
		}
	}
	for _, header := range slices.Sorted(maps.Keys(before)) {
		if _, ok := after[header]; !ok {
			c.Removed = append(c.Removed, header)
		}
	}
	return c
}

// bodies are the meaningful lines of each section.
func bodies(text string) map[string]string {
	out := map[string]string{}
	header := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		if h, ok := sectionHeader(line); ok {
			header = h
			out[header] = ""
		} else if !blank(line) && header != "" {
			out[header] += line + "\n"
		}
	}
	return out
}

// String is one line for a person: how many of what.
func (c Changes) String() string {
	if c.None() {
		return "no changes"
	}
	return fmt.Sprintf("%d added, %d updated, %d removed", len(c.Added), len(c.Updated), len(c.Removed))
}
