package e2e

import (
	"fmt"
	"regexp"
	"strings"
)

// behaviour is something that a caller of sso-admin or identitystore can see.
type behaviour struct {
	what   string
	aws    string // AWS's answer; none: not established
	source string // where that is known from
	ours   string // Sallyport's, where it is another than AWS's
	run    func(*realm) string
}

// wanted is what Sallyport has to answer.
func (b behaviour) wanted() string {
	if b.ours != "" {
		return b.ours
	}
	return b.aws
}

// theme is a table of the document.
type theme struct {
	title string
	rows  []behaviour
}

var themes = []theme{
	{"Names", namesRows},
	{"Permission sets", setsRows},
	{"Policies of permission sets", policiesRows},
	{"Assignments", assignRows},
	{"What reaches the accounts", driftRows},
	{"Users", peopleRows},
	{"Groups", groupsRows},
	{"Pages", pagesRows},
	{"Tags", tagsRows},
	{"Applications", applicationsRows},
	{"The instance", instanceRows},
	{"On the wire", wireRows},
}

// measured are the answers of a server, by what they are about.
type measured map[string]string

const realismHead = `# Realism

How AWS IAM Identity Center, [moto](https://github.com/getmoto/moto) %[1]s and Sallyport answer in cases that go beyond the shapes of the
API. A test writes this document (in ` + "`compat`: `go test ./e2e -run TestRealism -update`" + `), nobody else: the columns of moto and of
Sallyport are what came back to the AWS SDK for Go in one run, from each server with its defaults. The test fails when Sallyport answers
anything else than is written here; moto's column is compared where moto %[1]s is installed.

AWS's column was not measured: it rests on its documentation, on the service models of its SDKs and on what people have reported, and the
source stands behind it. *Not established* says that none of them is clear; such rows are not counted, and
[divergences.md](divergences.md) says what Sallyport has chosen. Sallyport was written after the same sources. moto is made to test
programs with, not to be operated: it checks no signatures unless told to, and takes much that AWS would refuse.

- API Reference, User Guide: those of IAM Identity Center and of its identity store. model: the named shape of the SDKs' service models.
- terraform #n: an issue of hashicorp/terraform-provider-aws; other names with a number are of GitHub repositories as well.
- “accepted”: no error. “refused”: an error of the caller's, where AWS does not say which. ID: any id.
- “CreateX: code”, in moto's column: the case could not be brought about, because CreateX was answered so. HTTP 500 is moto's answer to
  operations that it does not have, and where it fails.
- What a server sent counts, even where the SDK for Go, which is strict about types, could not read it.
`

// renderRealism writes the document.
func renderRealism(version string, moto, ours measured) string {
	var b strings.Builder
	fmt.Fprintf(&b, realismHead, version)
	rows, known, agree := 0, 0, [2]int{}
	for _, t := range themes {
		fmt.Fprintf(&b, "\n## %s\n\n| behaviour | AWS (source) | moto | Sallyport |\n|---|---|---|---|\n", t.title)
		for _, row := range t.rows {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", row.what, row.documented(), moto[row.what], ours[row.what])
			if rows++; row.aws == "" {
				continue
			}
			known++
			for i, answers := range []measured{moto, ours} {
				if answers[row.what] == row.aws {
					agree[i]++
				}
			}
		}
	}
	fmt.Fprintf(&b, "\n## Counts\n\nOf %d rows, AWS's behaviour is established in %d. ", rows, known)
	fmt.Fprintf(&b, "moto %s answers as AWS does in %d of them, Sallyport in %d.\n", version, agree[0], agree[1])
	return b.String()
}

// documented is AWS's column.
func (b behaviour) documented() string {
	switch {
	case b.aws == "" && b.source == "":
		return "*not established*"
	case b.aws == "":
		return fmt.Sprintf("*not established* (%s)", b.source)
	default:
		return fmt.Sprintf("%s (%s)", b.aws, b.source)
	}
}

var motoVersion = regexp.MustCompile(`getmoto/moto\) (\S+)`)

// parseRealism reads moto's version and column from the document.
func parseRealism(document string) (version string, moto measured) {
	if found := motoVersion.FindStringSubmatch(document); found != nil {
		version = found[1]
	}
	moto = measured{}
	for line := range strings.Lines(document) {
		if cells := strings.Split(line, " | "); len(cells) == 4 {
			moto[strings.TrimPrefix(cells[0], "| ")] = cells[2]
		}
	}
	return version, moto
}
