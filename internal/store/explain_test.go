package store

import (
	"context"
	"database/sql"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"sallyport/internal/clock"
)

// statement is a query constant as the source has it.
type statement struct {
	name, text, comment string
}

// says reports whether the comment of the constant has a line that begins with the word and a colon.
func (s statement) says(word string) bool {
	for line := range strings.Lines(s.comment) {
		if strings.HasPrefix(line, word+":") {
			return true
		}
	}
	return false
}

// sources are the package's files, tests left out.
func sources(t *testing.T) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) == 0 {
		t.Fatalf("no source files: %v", err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// statements finds every constant of type query in this package, those of other record families included.
func statements(t *testing.T) []statement {
	t.Helper()
	var specs []*ast.ValueSpec
	texts := map[string]ast.Expr{} // of all constants: a query may be a sum of them
	for _, file := range sources(t) {
		for _, decl := range file.Decls {
			if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.CONST {
				for _, spec := range d.Specs {
					s := spec.(*ast.ValueSpec)
					if !d.Lparen.IsValid() {
						s.Doc = d.Doc
					}
					for i := range s.Values {
						texts[s.Names[i].Name] = s.Values[i]
					}
					if id, ok := s.Type.(*ast.Ident); ok && id.Name == "query" {
						specs = append(specs, s)
					}
				}
			}
		}
	}
	var out []statement
	for _, s := range specs {
		for i, name := range s.Names {
			out = append(out, statement{name.Name, constant(t, s.Values[i], texts), s.Doc.Text() + s.Comment.Text()})
		}
	}
	if len(out) < 20 {
		t.Fatalf("found %d queries: the search is broken", len(out))
	}
	return out
}

// constant evaluates a string constant: literals, other constants, and sums of them.
func constant(t *testing.T, e ast.Expr, known map[string]ast.Expr) string {
	t.Helper()
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		return s
	case *ast.Ident:
		if v, ok := known[e.Name]; ok {
			return constant(t, v, known)
		}
		t.Fatalf("query made of %s, which is not a constant of this package", e.Name)
	case *ast.BinaryExpr:
		return constant(t, e.X, known) + constant(t, e.Y, known)
	}
	t.Fatalf("query made of %T", e)
	return ""
}

var placeholder = regexp.MustCompile(`\$(\d+)`)

// placeholders is how many a query has. They must be numbered as they first appear: drivers that number them so then
// agree with those that go by the number.
func placeholders(t *testing.T, q string) int {
	t.Helper()
	n := 0
	for _, m := range placeholder.FindAllStringSubmatch(q, -1) {
		i, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		if i > n+1 {
			t.Errorf("$%d appears before $%d: number placeholders in order of first appearance", i, n+1)
		}
		n = max(n, i)
	}
	return n
}

// control says that a statement has no plan.
func control(q string) bool {
	return strings.HasPrefix(q, "BEGIN") || strings.HasPrefix(q, "COMMIT") || strings.HasPrefix(q, "ROLLBACK") ||
		strings.HasPrefix(q, "SAVEPOINT") || strings.HasPrefix(q, "RELEASE") || strings.HasPrefix(q, "PRAGMA")
}

// plans runs a statement that returns one text per row, the column being the last.
func plans(t *testing.T, ctx context.Context, db interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, q string, args ...any,
) []string {
	t.Helper()
	rows, err := db.QueryContext(ctx, q, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		dest := make([]any, len(columns))
		for i := range dest {
			dest[i] = new(any)
		}
		var line string
		dest[len(dest)-1] = &line
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		out = append(out, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// scans finds the steps of an SQLite plan that read a whole table. Common table expressions and VALUES are no tables.
func scans(plan []string, tables map[string]bool, q string) []string {
	var out []string
	for _, step := range plan {
		rest, ok := strings.CutPrefix(step, "SCAN ")
		if !ok || strings.Contains(rest, " USING ") {
			continue
		}
		name, _, _ := strings.Cut(rest, " ")
		alias := regexp.MustCompile(`(?i)\b(\w+)\s+(?:AS\s+)?` + regexp.QuoteMeta(name) + `\b`)
		table := tables[name]
		for _, m := range alias.FindAllStringSubmatch(q, -1) {
			table = table || tables[m[1]]
		}
		if table {
			out = append(out, step)
		}
	}
	return out
}

func TestQueriesOnSQLite(t *testing.T) {
	t.Parallel()
	db, err := Open(t.Context(), newFile(t), clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	pool := db.engine.(*lite).reads
	pool.SetMaxOpenConns(readers + 1)
	tables := map[string]bool{}
	for _, name := range plans(t, t.Context(), pool, `SELECT name FROM sqlite_schema WHERE type = 'table'`) {
		tables[name] = true
	}
	for _, s := range statements(t) {
		t.Run(s.name, func(t *testing.T) {
			n := placeholders(t, s.text)
			if control(s.text) || s.says("postgres") {
				return
			}
			args := make([]any, n)
			plan := plans(t, t.Context(), pool, "EXPLAIN QUERY PLAN "+s.text, args...)
			if bad := scans(plan, tables, s.text); len(bad) > 0 && !s.says("full scan") {
				t.Errorf("%s\nreads a whole table: %v\n(if it must, say why in its comment: \"full scan: …\")", s.text, bad)
			}
		})
	}
}

func TestQueriesOnPostgreSQL(t *testing.T) {
	t.Parallel()
	db, err := Open(t.Context(), newPostgres(t), clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.engine.(*postgres).writes.Conn(t.Context()) // with enable_seqscan=off: a scan that is left is needed
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), `SET plan_cache_mode = force_generic_plan`); err != nil {
		t.Fatal(err)
	}
	for _, s := range statements(t) {
		t.Run(s.name, func(t *testing.T) {
			if control(s.text) || s.says("sqlite") {
				return
			}
			if _, err := conn.ExecContext(t.Context(), "PREPARE "+s.name+"_plan AS "+s.text); err != nil {
				t.Fatalf("%s\n%v", s.text, err)
			}
			q := "EXPLAIN EXECUTE " + s.name + "_plan"
			if n := placeholders(t, s.text); n > 0 {
				q += "(" + strings.TrimSuffix(strings.Repeat("NULL,", n), ",") + ")"
			}
			plan := strings.Join(plans(t, t.Context(), conn, q), "\n")
			if strings.Contains(plan, "Seq Scan") && !s.says("full scan") {
				t.Errorf("%s\nreads a whole table:\n%s\n(if it must, say why in its comment: \"full scan: …\")", s.text, plan)
			}
		})
	}
}

// TestScans shows that the plan reader sees what it should.
func TestScans(t *testing.T) {
	t.Parallel()
	tables := map[string]bool{"job": true}
	for _, c := range []struct {
		step, query string
		bad         bool
	}{
		{"SCAN job", "SELECT * FROM job", true},
		{"SCAN j", "SELECT * FROM job j", true},
		{"SCAN j", "SELECT * FROM job AS j", true},
		{"SCAN recent", "WITH recent AS (SELECT 1) SELECT * FROM recent", false},
		{"SCAN job USING INDEX job_key", "SELECT * FROM job ORDER BY kind", false},
		{"SEARCH job USING INDEX job_key (kind=?)", "SELECT * FROM job WHERE kind = $1", false},
		{"SCAN CONSTANT ROW", "INSERT INTO job VALUES (1)", false},
	} {
		if got := len(scans([]string{c.step}, tables, c.query)) > 0; got != c.bad {
			t.Error(fmt.Sprintf("%s in %s", c.step, c.query), got)
		}
	}
}
