package ascode

import "strings"

// maxDiff bounds the lines that are compared one with another; longer texts are told of as a whole.
const maxDiff = 400

// lineDiff tells which lines go and which come.
func lineDiff(from, to string) []string {
	a, b := lines(from), lines(to)
	if len(a) > maxDiff || len(b) > maxDiff {
		return []string{"InlinePolicy changes as a whole"}
	}
	longest := make([][]int, len(a)+1) // common subsequence of the rests
	for i := range longest {
		longest[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				longest[i][j] = longest[i+1][j+1] + 1
			} else {
				longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			}
		}
	}
	out := []string{"InlinePolicy:"}
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && longest[i+1][j] >= longest[i][j+1]:
			out, i = append(out, "  - "+a[i]), i+1
		default:
			out, j = append(out, "  + "+b[j]), j+1
		}
	}
	return out
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
