package qr

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
	"rsc.io/qr"

	"sallyport/internal/fault"
)

const uri = "otpauth://totp/Sallyport:alice%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Sallyport"

// bitmap is a drawn code, one string of '#' and '.' to a row.
type bitmap []string

// want is the bitmap that the library makes of a text, within a quiet zone of four.
func want(t rapid.TB, text string) bitmap {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	b := blank(code.Size + 8)
	for y := range code.Size {
		for x := range code.Size {
			if code.Bitmap[y*code.Stride+x/8]&(0x80>>(x%8)) != 0 {
				b.fill(x+4, y+4)
			}
		}
	}
	return b
}

func blank(size int) bitmap {
	b := make(bitmap, size)
	for y := range b {
		b[y] = strings.Repeat(".", size)
	}
	return b
}

func (b bitmap) fill(x, y int) { b[y] = b[y][:x] + "#" + b[y][x+1:] }

// picture is what a reader of the svg element needs, and nothing else may be there.
type picture struct {
	XMLName xml.Name   `xml:"svg"`
	ViewBox string     `xml:"viewBox,attr"`
	Role    string     `xml:"role,attr"`
	Label   string     `xml:"aria-label,attr"`
	Crisp   string     `xml:"shape-rendering,attr"`
	Others  []xml.Attr `xml:",any,attr"`
	Rects   []shape    `xml:"rect"`
	Paths   []shape    `xml:"path"`
	Rest    []struct{} `xml:",any"`
}

type shape struct {
	Width  int        `xml:"width,attr"`
	Height int        `xml:"height,attr"`
	Fill   string     `xml:"fill,attr"`
	D      string     `xml:"d,attr"`
	Others []xml.Attr `xml:",any,attr"`
}

func drawn(t rapid.TB, text, label string) (picture, bitmap) {
	svg, err := SVG(text, label)
	if err != nil {
		t.Fatal(err)
	}
	var p picture
	if err := xml.Unmarshal([]byte(svg), &p); err != nil {
		t.Fatal(err)
	}
	var w, h int
	if _, err := fmt.Sscanf(p.ViewBox, "0 0 %d %d", &w, &h); err != nil || w != h {
		t.Fatalf("viewBox %q", p.ViewBox)
	}
	if len(p.Rects) != 1 || p.Rects[0].Width != w || p.Rects[0].Height != h || p.Rects[0].Fill != "#fff" || len(p.Rects[0].Others) != 0 {
		t.Fatalf("background %+v", p.Rects)
	}
	if len(p.Paths) != 1 || p.Paths[0].Fill != "#000" || len(p.Paths[0].Others) != 0 || len(p.Rest) != 0 {
		t.Fatalf("path %+v", p.Paths)
	}
	b := blank(w)
	for _, part := range strings.Split(strings.TrimSuffix(p.Paths[0].D, "z"), "z") {
		var x, y, run, back int
		if _, err := fmt.Sscanf(part, "M%d %dh%dv1h-%d", &x, &y, &run, &back); err != nil || run != back || run < 1 {
			t.Fatalf("part %q: %v", part, err)
		}
		for i := range run {
			b.fill(x+i, y)
		}
	}
	return p, b
}

func TestSVG(t *testing.T) {
	t.Parallel()
	label := `QR code for <alice> & "bob's"`
	p, got := drawn(t, uri, label)
	if d := cmp.Diff(want(t, uri), got); d != "" {
		t.Error(d)
	}
	if p.Role != "img" || p.Label != label || p.Crisp != "crispEdges" {
		t.Errorf("role %q, label %q, rendering %q", p.Role, p.Label, p.Crisp)
	}
	if len(p.Others) != 1 || p.Others[0].Name.Local != "xmlns" {
		t.Errorf("more attributes: %v", p.Others)
	}
}

func TestTerminal(t *testing.T) {
	t.Parallel()
	out, err := Terminal(uri)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want(t, uri), scanned(t, out)); d != "" {
		t.Error(d)
	}
}

// scanned reads a drawing of half blocks. The last row's lower half is beyond the code and has to be white.
func scanned(t rapid.TB, out string) bitmap {
	halves := map[rune][2]byte{' ': {'.', '.'}, '▀': {'#', '.'}, '▄': {'.', '#'}, '█': {'#', '#'}}
	var b bitmap
	for line := range strings.Lines(out) {
		row, ok := strings.CutPrefix(line, "\x1b[38;5;16;48;5;231m")
		row, ok2 := strings.CutSuffix(row, "\x1b[0m\n")
		if !ok || !ok2 {
			t.Fatalf("line %q", line)
		}
		var upper, lower strings.Builder
		for _, r := range row {
			h, ok := halves[r]
			if !ok {
				t.Fatalf("character %q", r)
			}
			upper.WriteByte(h[0])
			lower.WriteByte(h[1])
		}
		b = append(b, upper.String(), lower.String())
	}
	if beyond := b[len(b)-1]; strings.Contains(beyond, "#") {
		t.Fatalf("beyond the code: %s", beyond)
	}
	return b[:len(b)-1]
}

func TestAnyTextIsDrawn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOfN(rapid.Byte(), 1, maxText).Draw(t, "text"))
		code := want(t, text)
		if _, got := drawn(t, text, "code"); cmp.Diff(code, got) != "" {
			t.Fatal(cmp.Diff(code, got))
		}
		out, err := Terminal(text)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(code, scanned(t, out)); d != "" {
			t.Fatal(d)
		}
	})
}

func TestTextOfNoUseIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", strings.Repeat("x", maxText+1)} {
		if _, err := SVG(text, ""); fault.KindOf(err) != fault.Invalid {
			t.Errorf("SVG of %d bytes: %v", len(text), err)
		}
		if _, err := Terminal(text); fault.KindOf(err) != fault.Invalid {
			t.Errorf("terminal of %d bytes: %v", len(text), err)
		}
	}
}
