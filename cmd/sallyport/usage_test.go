package main

import (
	"strings"
	"testing"
)

// TestCSVIsNoFormula: names that people choose are no formulas to a spreadsheet, and stay one cell.
func TestCSVIsNoFormula(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	err := writeCSV(&b, [][]string{{"USER", "N"}, {`=HYPERLINK("http://x","y")`, "1"}, {"+1", "-1"}, {"@x", "\tx"}, {"a,b\nc", ""}})
	if err != nil {
		t.Fatal(err)
	}
	want := "USER,N\n\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\",1\n'+1,'-1\n'@x,'\tx\n\"a,b\nc\",\n"
	if b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}
