package main

import (
	"strings"
	"unicode"
)

// exported is a model name as an exported Go name: the model's spelling, but for the first letter.
func exported(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// shapeVar is the variable that holds a shape's table.
func shapeVar(name string) string { return "shape" + exported(name) }

// constName names an enum's value: PrincipalType and "USER" give PrincipalTypeUser.
func constName(enum, value string) string {
	var b strings.Builder
	b.WriteString(exported(enum))
	for _, word := range strings.FieldsFunc(value, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if word == strings.ToUpper(word) {
			word = strings.ToLower(word)
		}
		b.WriteString(exported(word))
	}
	return b.String()
}
