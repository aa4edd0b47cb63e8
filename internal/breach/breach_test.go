package breach

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/fault"
)

// TestEmbeddedList pins the list. Whoever renews it changes the sum here, and sees to NOTICE.
func TestEmbeddedList(t *testing.T) {
	t.Parallel()
	const want = "84744d1750661f5b290520a942949d1a724eb32181b94db6f54f2dcb9e981f64"
	if got := fmt.Sprintf("%x", sha256.Sum256([]byte(packed))); got != want {
		t.Errorf("the SHA-256 of common.txt.gz is %s, not %s", got, want)
	}
	list := common()
	if len(list) != 49_233 || !slices.IsSorted(list) {
		t.Errorf("%d passwords, sorted: %v", len(list), slices.IsSorted(list))
	}
	for _, p := range list {
		if p == "" || p != strings.ToLower(p) {
			t.Errorf("%q cannot be found", p)
		}
	}
}

func TestHasEmbedded(t *testing.T) {
	t.Parallel()
	l := open(t, "")
	for password, want := range map[string]bool{
		"123456": true, "password": true, "P@ssw0rd": true, "PASSWORD": true, "qwertyuiop": true, "1qaz!QAZ": true,
		"": false, "\n": false, "password\n": false, " password": false, "123456\n1234567": false, "пароль": false,
		"correct horse battery staple": false, "password-but-longer": false, strings.Repeat("a", 1<<20): false,
	} {
		if got, err := l.Has(password); err != nil || got != want {
			t.Errorf("Has(%.30q) = %v, %v", password, got, err)
		}
	}
}

// The file's passwords are as they were leaked: another case is another password.
func TestHasFromFile(t *testing.T) {
	t.Parallel()
	l := open(t, write(t, lines{count: true}.of(sums("Tr0ub4dor&3x", "correct horse", "пароль-12"))))
	for password, want := range map[string]bool{
		"Tr0ub4dor&3x": true, "correct horse": true, "пароль-12": true, "password": true, // that is embedded
		"tr0ub4dor&3x": false, "correct horses": false, "": false,
	} {
		if got, err := l.Has(password); err != nil || got != want {
			t.Errorf("Has(%q) = %v, %v", password, got, err)
		}
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	many := numbered(5000)
	swapped := slices.Clone(many)
	slices.Reverse(swapped)
	good := string(lines{count: true}.of(many))
	dir := t.TempDir()
	for _, tc := range []struct{ name, content, want string }{
		{"empty", "", "it is empty"},
		{"no list", "password\n123456\n", "a line of another form at the start"},
		{"one long line", strings.Repeat("A", 10_000), "a line of another form at the start"},
		{"byte order mark", "\ufeff" + good, "a line of another form at the start"},
		{"NTLM", "00000011059407D743D40689940F858C:12\n", "NTLM"},
		{"ordered by count", string(lines{count: true}.of(swapped)), "not ordered by hash"},
		{"two lines, unordered", string(lines{}.of(swapped[:2])), "not ordered by hash"},
		{"last line first", string(lines{}.of(append(slices.Clone(many), many[0]))), "not ordered by hash"},
		{"ends with its beginning", good + good[:block*2], "not ordered by hash"},
		{"two lists, one behind the other", good + string(lines{count: true}.of(many[:110])), "not ordered by hash"},
		{"cut", good[:len(good)-30], "a line of another form at the end"},
		{"rubbish in the middle", good[:50_000] + strings.Repeat("x", 100_000) + good[50_000:], "a line of another form in the middle"},
		{"blank line at the end", good + "\n", "a line of another form at the end"},
		{"bad count", strings.Replace(good, ":", ";", 1), "a line of another form at the start"},
	} {
		_, err := Open(write(t, []byte(tc.content)))
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "40 hexadecimal digits") {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	for _, file := range []string{dir, filepath.Join(dir, "absent")} {
		if _, err := Open(file); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// A file that shrinks or is overwritten while the program runs is an error, never "not in the list".
func TestFileThatChanges(t *testing.T) {
	t.Parallel()
	hs := numbered(5000)
	content := lines{}.of(hs)
	slices.Reverse(hs)
	for name, after := range map[string][]byte{
		"shrunk": content[:1000], "overwritten": bytes.Repeat([]byte("x"), len(content)), "gone": nil,
		"in another order": lines{}.of(hs),
	} {
		file := write(t, content)
		l := open(t, file)
		if err := os.WriteFile(file, after, 0o600); err != nil {
			t.Fatal(err)
		}
		if found, err := l.Has("not in any list"); err == nil {
			t.Errorf("%s: %v", name, found)
		}
	}
}

func open(tb testing.TB, file string) *List {
	tb.Helper()
	l, err := Open(file)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := l.Close(); err != nil {
			tb.Error(err)
		}
	})
	return l
}

func write(tb testing.TB, content []byte) string {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "pwned.txt")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		tb.Fatal(err)
	}
	return file
}

// sums are the hashes of passwords, in order.
func sums(passwords ...string) []hash {
	hs := make([]hash, 0, len(passwords))
	for _, p := range passwords {
		hs = append(hs, sha1.Sum([]byte(p)))
	}
	slices.SortFunc(hs, func(a, b hash) int { return bytes.Compare(a[:], b[:]) })
	return hs
}

// numbered are the hashes of n passwords, in order.
func numbered(n int) []hash {
	passwords := make([]string, n)
	for i := range passwords {
		passwords[i] = fmt.Sprint("number ", i)
	}
	return sums(passwords...)
}

// lines is a form that a file may have.
type lines struct{ count, crlf, lower, open bool }

func (f lines) of(hs []hash) []byte {
	var out bytes.Buffer
	for i, h := range hs {
		if f.lower {
			fmt.Fprintf(&out, "%x", h)
		} else {
			fmt.Fprintf(&out, "%X", h)
		}
		if f.count { // of one to nineteen digits
			fmt.Fprintf(&out, ":%d", uint64(h[0])<<(h[1]%56)+1)
		}
		switch {
		case f.open && i == len(hs)-1:
		case f.crlf:
			out.WriteString("\r\n")
		default:
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}
