package quota

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// shown is how people are told a value.
func shown(n int) string {
	if n == None {
		return "none"
	}
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// TestDocument: the table of the document says what this one says.
func TestDocument(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("| what | AWS, and strict | relaxed |\n|---|---|---|\n")
	for _, l := range Table {
		strict, relaxed := shown(l.AWS), shown(l.Relaxed)
		if l.Kind == Rate {
			strict, relaxed = strict+" a second", strict+" a second" // where they hold at all
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", l.Bounds, strict, relaxed)
	}
	const file = "../../docs/divergences.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\n\n"+b.String()+"\n") {
		t.Errorf("%s is to have the table\n%s", file, b.String())
	}
}
