package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"sallyport/internal/apiclient"
	adminapi "sallyport/internal/awsapi/ssoadmin"
)

// documents are those whose commands are tried.
func documents(t *testing.T) (files []string) {
	t.Helper()
	for _, pattern := range []string{"../../README.md", "../../docs/*.md", "../../docs/guides/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(found), err)
		}
		files = append(files, found...)
	}
	return files
}

// blocks are a document's fenced blocks of a language.
func blocks(t *testing.T, file, language string) (found []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	inside := false
	for line := range strings.Lines(string(text)) {
		switch fence, ok := strings.CutPrefix(strings.TrimSpace(line), "```"); {
		case ok && !inside && fence == language:
			inside = true
			found = append(found, "")
		case ok:
			inside = false
		case inside:
			found[len(found)-1] += strings.TrimPrefix(line, "  ") // of a list
		}
	}
	return found
}

// TestDocuments runs what the documents show as typed and answered (```console), each document in a sample world of its own whose
// directory is $DIR. A … stands for whatever is different each time. An answer that begins with "sallyport: " is a refusal.
func TestDocuments(t *testing.T) {
	t.Parallel()
	dir, ran := t.TempDir(), 0
	for _, file := range documents(t) {
		script := ""
		for _, b := range blocks(t, file, "console") {
			script += scriptOf(t, file, b)
			ran++
		}
		if script == "" {
			continue
		}
		people := ""
		if strings.Contains(script, "sallyport emergency prepare") {
			people = "passkeys world olga paul\n"
		}
		if before, after, ok := strings.Cut(script, "exec sh -e -c '{ sallyport emergency reviews"); ok { // somebody has opened it
			script = before + "open world olga paul\nexec sh -e -c '{ sallyport emergency reviews" + after
		}
		script = "exec sallyport dev --data world --listen 127.0.0.1:0 &dev&\nready world ENDPOINT\nsample world\n" + people + "env DIR=world\n" + script + "terminate\nwait dev\n"
		name := strings.TrimSuffix(filepath.Base(file), ".md") + ".txtar"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if ran < 10 {
		t.Errorf("%d blocks were found", ran)
	}
	testscript.Run(t, testscript.Params{Dir: dir, RequireExplicitExec: true, Cmds: map[string]func(*testscript.TestScript, bool, []string){
		"ready": ready, "terminate": terminate, "sample": sample, "passkeys": passkeys, "open": openEmergency,
	}})
}

// sample adds to the sample world what the documents name beside its people.
func sample(ts *testscript.TestScript, _ bool, args []string) {
	c, err := newClient(ts.MkAbs(args[0]))
	ts.Check(err)
	_, _, err = apiclient.Ask[adminapi.CreatePermissionSetResponse](context.Background(), c.Client, &adminapi.CreatePermissionSetRequest{
		InstanceArn: c.world.InstanceARN, Name: "ProductionAdmin",
	})
	ts.Check(err)
	guide, err := os.ReadFile(filepath.Join("../../docs", "guides", "configuration-as-code.md"))
	ts.Check(err)
	_, example, _ := strings.Cut(string(guide), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	ts.Check(os.WriteFile(ts.MkAbs("change.yaml"), []byte(example), 0o600))
}

var spaces = regexp.MustCompile(`(\\?\s)+`)

// scriptOf is a block as a script. What a command puts into the shell stays there for the commands after it.
func scriptOf(t *testing.T, file, block string) string {
	t.Helper()
	var b strings.Builder
	prelude, command := "", ""
	var answer []string
	flush := func() {
		if command == "" {
			return
		}
		refused := ""
		if len(answer) > 0 && strings.HasPrefix(answer[0], "sallyport: ") {
			refused = "! "
		}
		fmt.Fprintf(&b, "%sexec sh -e -c '%s'\n", refused, strings.ReplaceAll(prelude+"{ "+command+"; } 2>&1", "'", "''"))
		for _, line := range answer {
			line = strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(line)), "…", ".*")
			fmt.Fprintf(&b, "stdout '^[ \\t]*%s$'\n", strings.ReplaceAll(spaces.ReplaceAllString(line, `\s+`), "'", "''"))
		}
		if strings.HasPrefix(command, "eval ") || strings.HasPrefix(command, "export ") {
			prelude += command + "; "
		}
		command, answer = "", nil
	}
	for line := range strings.Lines(block) {
		line = strings.TrimRight(line, "\n")
		if typed, ok := strings.CutPrefix(line, "$ "); ok {
			flush()
			command, _, _ = strings.Cut(typed, "  #")
		} else if command == "" {
			t.Errorf("%s: an answer without a command: %s", file, line)
		} else if line != "" {
			answer = append(answer, line)
		}
	}
	flush()
	return b.String()
}

var (
	shellWord = regexp.MustCompile(`"[^"]*"|'[^']*'|[^\s"']+`)
	ours      = regexp.MustCompile("(?:^|[\\s`\"(/])sallyport ([a-z][^`#|;&)]*)")
)

// TestCommandsInDocuments: what documents tell people to type, in blocks and in between, there is.
func TestCommandsInDocuments(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, file := range documents(t) {
		for _, language := range []string{"sh", "console"} {
			for _, block := range blocks(t, file, language) {
				for line := range strings.Lines(strings.ReplaceAll(block, "\\\n", " ")) {
					for _, found := range ours.FindAllStringSubmatch(line, -1) {
						tried++
						if err := parses(shellWord.FindAllString(found[1], -1)); err != nil {
							t.Errorf("%s: sallyport %s: %v", file, found[1], err)
						}
					}
				}
			}
		}
	}
	if tried < 30 {
		t.Errorf("%d commands were found", tried)
	}
}

// parses says what is wrong with a command line, without running it.
func parses(args []string) error {
	cmd, rest, err := newRoot().Find(args)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if !cmd.Runnable() || cmd.Args == nil {
		return nil
	}
	return cmd.Args(cmd, cmd.Flags().Args())
}

func TestCommandsThatThereAreNot(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"users greet bob", "users invite", "users invite bob --loud", "serve --config", "greet", "operator disable a b"} {
		if parses(strings.Fields(line)) == nil {
			t.Errorf("sallyport %s is taken for a command", line)
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)#\s]*)(?:#([^)\s]+))?\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	noWord  = regexp.MustCompile(`[^a-z0-9 -]`)
)

// TestLinksInDocuments: what documents lead to is there, down to the heading.
func TestLinksInDocuments(t *testing.T) {
	t.Parallel()
	read := func(file string) string {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
		}
		return string(b)
	}
	for _, file := range documents(t) {
		for _, to := range link.FindAllStringSubmatch(read(file), -1) {
			if strings.Contains(to[1], "://") {
				continue
			}
			target := file
			if to[1] != "" {
				target = filepath.Join(filepath.Dir(file), to[1])
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s leads to %s: %v", file, to[1], err)
				continue
			}
			found := to[2] == ""
			for _, h := range heading.FindAllStringSubmatch(read(target), -1) {
				found = found || strings.ReplaceAll(noWord.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-") == to[2]
			}
			if !found {
				t.Errorf("%s leads to %s#%s, which has no such heading", file, to[1], to[2])
			}
		}
	}
}
