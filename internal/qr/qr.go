// Package qr draws QR codes for pages and terminals, in black on white whatever the colours around them, since many readers
// take no inverted code (ISO/IEC 18004).
package qr

import (
	"fmt"
	"html"
	"html/template"
	"strings"

	"rsc.io/qr"

	"sallyport/internal/fault"
)

const (
	quiet   = 4    // white modules around the code (ISO/IEC 18004 section 6.3.8)
	maxText = 1024 // bytes; a code of more has modules too small for a phone
)

// encode makes the code of a text with error correction M, which scanning off a screen is well served with; Invalid.
func encode(text string) (*qr.Code, error) {
	if text == "" || len(text) > maxText {
		return nil, fault.Invalidf("A QR code holds 1 to %d bytes of text; this one would hold %d.", maxText, len(text))
	}
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, fmt.Errorf("encode QR code: %w", err)
	}
	return code, nil
}

// SVG draws the code of a text as one svg element; label is what a screen reader says instead. It has a viewBox and no size,
// which is the style sheet's to give, and no style attribute, which the pages' policy forbids. Invalid.
func SVG(text, label string) (template.HTML, error) {
	code, err := encode(text)
	if err != nil {
		return "", err
	}
	size := code.Size + 2*quiet
	return template.HTML(fmt.Sprintf( // numbers, and a label that is escaped
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges" role="img" aria-label="%s">`+
			`<rect width="%d" height="%d" fill="#fff"/><path fill="#000" d="%s"/></svg>`,
		size, size, html.EscapeString(label), size, size, outline(code))), nil
}

// outline is the path that fills the black modules: a rectangle for each run of them in a row.
func outline(code *qr.Code) string {
	var d strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			start := x
			for code.Black(x, y) {
				x++
			}
			if run := x - start; run > 0 {
				fmt.Fprintf(&d, "M%d %dh%dv1h-%dz", start+quiet, y+quiet, run, run)
			}
		}
	}
	return d.String()
}

// Black on white from the fixed part of the 256 colours, which themes leave alone; and back to the terminal's own.
const (
	blackOnWhite = "\x1b[38;5;16;48;5;231m"
	ownColours   = "\x1b[0m"
)

// Terminal draws the code of a text in lines of half blocks, two modules above one another in each character, for terminals
// with Unicode and 256 colours. Invalid.
func Terminal(text string) (string, error) {
	code, err := encode(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		out.WriteString(blackOnWhite)
		for x := -quiet; x < code.Size+quiet; x++ {
			out.WriteString(block(code.Black(x, y), code.Black(x, y+1)))
		}
		out.WriteString(ownColours + "\n")
	}
	return out.String(), nil
}

// block is the character whose upper and lower halves are black or not.
func block(upper, lower bool) string {
	switch {
	case upper && lower:
		return "█"
	case upper:
		return "▀"
	case lower:
		return "▄"
	}
	return " "
}
