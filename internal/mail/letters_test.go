package mail

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

const testLink = "https://sso.example.org/invitation/Zm9v"

var (
	letters = Letters{Portal: "https://sso.example.org"}
	glass   = Emergency{
		Access: "Production down", Opener: "ana", Approver: "ben", Reason: "The database is down.", IP: "198.51.100.7", At: noon, Until: noon.Add(time.Hour),
	}
	noon = time.Date(2026, 11, 25, 9, 5, 0, 0, time.FixedZone("", 3600))
)

// TestLetters keeps the texts where a person can read and review them.
func TestLetters(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]Message{
		"invitation":       letters.Invitation("Ana Díaz", testLink, noon),
		"reset":            letters.Reset("Ana Díaz", testLink, noon),
		"code":             letters.Code("492031", 10),
		"new device":       letters.Notice(NewDevice, "Ana's phone", noon, "198.51.100.7", testLink),
		"password changed": letters.Notice(PasswordChanged, "", noon, "198.51.100.7", testLink),
		"emergency asked":  letters.EmergencyAsked(glass),
		"emergency opened": letters.EmergencyOpened(glass),
		"emergency failed": letters.EmergencyUntested("Production down", []string{"No offline code is left.", "Account 111122223333: it is suspended."}),
		"client approved":  letters.Notice(ClientApproved, "aws-cli", noon, "", ""),
	} {
		file := filepath.Join("testdata", strings.ReplaceAll(name, " ", "-")+".txt")
		got := "Subject: " + m.Subject + "\n\n" + m.Text
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
		if _, err := m.For("ana@example.org").check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for line := range strings.Lines(m.Text) {
			if utf8.RuneCountInString(line) > 78 && !strings.Contains(line, "://") {
				t.Errorf("%s: long line %q", name, line)
			}
		}
		if !strings.Contains(m.Text, letters.Portal) || !strings.Contains(m.Text, "administrator") {
			t.Errorf("%s: does not say who writes, or what to do if it was not the reader", name)
		}
	}
}

// A stranger who names a client writes no text and no link of ours.
func TestNamesAreNoText(t *testing.T) {
	t.Parallel()
	evil := "aws-cli\n\nThis is fine. Go to https://evil.example/login\u202e\u200b\x00\r\n" + strings.Repeat("x", 500)
	m := letters.Notice(ClientApproved, evil, noon, evil, testLink)
	for line := range strings.Lines(m.Text) {
		if strings.HasPrefix(line, "This is fine") || strings.Contains(line, "https://evil") || strings.ContainsAny(line, "\u202e\u200b\x00\r") {
			t.Errorf("line %q", line)
		}
	}
	want := "    Program:    aws-cli This is fine. Go to https evil.example/login " + strings.Repeat("x", 20)
	if !strings.Contains(m.Text, want[:72]) || len(m.Text) > 1500 {
		t.Errorf("%q", m.Text)
	}
	m = letters.Invitation(evil, testLink, noon)
	if strings.Count(m.Text, "://") != strings.Count(letters.Invitation("Ana", testLink, noon).Text, "://") {
		t.Errorf("%q", m.Text)
	}
}

func TestLettersLive(t *testing.T) {
	t.Parallel()
	if m := letters.Reset("", testLink, noon); !m.until.Equal(noon) {
		t.Errorf("until %v", m.until)
	}
	if m := letters.Code("1", 10); m.life != 10*time.Minute {
		t.Errorf("for %v", m.life)
	}
	for _, portal := range []string{"", "::", "https://sso.example.org\r\nBcc: x@example.org"} {
		m := Letters{portal}.Code("1", 10).For("ana@example.org")
		if _, err := m.check(); err != nil {
			t.Errorf("%s: %v", fmt.Sprintf("%q", portal), err)
		}
	}
}
