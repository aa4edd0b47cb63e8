package e2e

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// show has the AWS CLI print the list as a table, which must have a row for each item.
func (l botoList) show(t *testing.T, u *awsUser) {
	t.Helper()
	columns := "@"
	if len(l.Members) > 0 {
		columns = strings.Join(l.Members, ", ")
	}
	args := append(l.args(t), "--query", fmt.Sprintf("%s[].[%s]", l.Key, columns), "--output", "table")
	printed, err := u.try(args...)
	if err != nil {
		t.Fatalf("aws %q: %v", args, err)
	}
	rows := map[string]bool{}
	for line := range strings.Lines(printed) {
		if strings.HasPrefix(line, "|  ") && !strings.Contains(line, l.Operation) {
			rows[line] = true
		}
	}
	if len(rows) != l.Items || !strings.Contains(printed, l.Operation) {
		t.Errorf("aws %q: table of %d different rows, want %d:\n%.2000s", args, len(rows), l.Items, printed)
	}
}

// args is the AWS CLI's command that shows the list.
func (l botoList) args(tb testing.TB) []string {
	tb.Helper()
	args := []string{l.Service, dashed(l.Operation)}
	for name, value := range l.Params {
		text, isText := value.(string)
		if !isText {
			raw, err := json.Marshal(value)
			if err != nil {
				tb.Fatal(err)
			}
			text = string(raw)
		}
		args = append(args, "--"+dashed(name), text)
	}
	return args
}

var inner = regexp.MustCompile(`([a-z])([A-Z])`)

// dashed is a name as the AWS CLI spells it.
func dashed(name string) string { return strings.ToLower(inner.ReplaceAllString(name, "$1-$2")) }
