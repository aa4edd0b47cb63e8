package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The tables are from ocsf-schema 1.8.0 (github.com/ocsf/ocsf-schema at 3dcb905d): what is required in events/base_event.json,
// events/iam/*.json, events/application/api_activity.json, profiles/cloud.json and objects/*.json, the enums of the attributes
// that we write, and the attributes of each class that we use at all.
var (
	baseRequired = []string{"activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid", "cloud"}

	baseAttributes = append([]string{
		"activity_name", "actor", "api", "category_name", "class_name", "http_request", "message", "observables", "severity", "src_endpoint",
		"status", "status_code", "status_detail", "status_id", "type_name", "unmapped",
	}, baseRequired...)

	classes = map[int]struct {
		category   int
		required   []string
		optional   []string
		activities int // 1 to this, and 0 and 99
	}{
		3001: {3, []string{"user"}, []string{"policies"}, 12},
		3002: {3, []string{"user", "service"}, []string{"auth_factors", "is_mfa", "is_remote"}, 7}, // at least one of service, dst_endpoint
		3005: {3, []string{"privileges", "user"}, []string{"resources"}, 2},
		3006: {3, []string{"group"}, []string{"privileges", "resource", "user"}, 8},
		6003: {6, []string{"actor", "api", "src_endpoint"}, []string{"resources"}, 4},
	}

	// objects are where an object is, what it requires, and of what it must have one.
	objects = []struct {
		path     string
		required []string
		oneOf    []string
	}{
		{"metadata", []string{"product", "version"}, nil},
		{"metadata.product", nil, []string{"name", "uid"}},
		{"actor", nil, []string{"process", "user", "invoked_by", "session", "app_name", "app_uid"}},
		{"actor.user", nil, []string{"account", "name", "uid"}},
		{"actor.user.programmatic_credentials", []string{"uid"}, nil},
		{"user", nil, []string{"account", "name", "uid"}},
		{"group", nil, []string{"name", "uid"}},
		{"service", nil, []string{"name", "uid"}},
		{"api", []string{"operation"}, nil},
		{"api.service", nil, []string{"name", "uid"}},
		{"api.request", []string{"uid"}, nil},
		{"src_endpoint", nil, []string{"ip", "uid", "name", "hostname", "svc_name", "instance_uid", "interface_uid", "interface_name", "domain"}},
		{"cloud", []string{"provider"}, nil},
		{"cloud.account", nil, []string{"name", "uid"}},
		{"resource", nil, []string{"name", "uid"}},
		{"resources", nil, []string{"name", "uid"}},
		{"policies", nil, []string{"name", "type", "uid"}},
		{"auth_factors", []string{"factor_type_id"}, nil},
		{"observables", []string{"type_id"}, nil},
	}

	enums = []struct {
		path string
		ids  []int
	}{
		{"severity_id", []int{0, 1, 2, 3, 4, 5, 6, 99}},
		{"status_id", []int{0, 1, 2, 99}},
		{"actor.user.type_id", []int{0, 1, 2, 3, 4, 99}},
		{"user.type_id", []int{0, 1, 2, 3, 4, 99}},
		{"cloud.account.type_id", []int{10}},
		{"auth_factors.factor_type_id", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 99}},
		{"observables.type_id", []int{2, 4, 16, 19, 31, 35}},
	}
)

type failer interface {
	Helper()
	Errorf(string, ...any)
}

// checkOCSF holds an event to the tables.
func checkOCSF(t failer, line []byte) {
	t.Helper()
	var e map[string]any
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&e); err != nil {
		t.Errorf("%q: %v", line, err)
		return
	}
	uid, activity := number(e["class_uid"]), number(e["activity_id"])
	c, ok := classes[uid]
	if !ok || number(e["category_uid"]) != c.category || number(e["type_uid"]) != uid*100+activity || activity != 99 && activity > c.activities || activity < 0 {
		t.Errorf("class %v, category %v, activity %v, type %v", e["class_uid"], e["category_uid"], e["activity_id"], e["type_uid"])
	}
	for name := range e {
		if !slices.Contains(slices.Concat(baseAttributes, c.required, c.optional), name) {
			t.Errorf("class %d has no attribute %s", uid, name)
		}
	}
	for _, name := range slices.Concat(baseRequired, c.required) {
		if e[name] == nil {
			t.Errorf("class %d: %s is missing in %s", uid, name, line)
		}
	}
	for _, o := range objects {
		for _, v := range at(e, o.path) {
			m, isObject := v.(map[string]any)
			if !isObject || !has(m, o.required, len(o.required)) || len(o.oneOf) > 0 && !has(m, o.oneOf, 1) {
				t.Errorf("%s is %v", o.path, v)
			}
		}
	}
	for _, enum := range enums {
		for _, v := range at(e, enum.path) {
			if !slices.Contains(enum.ids, number(v)) {
				t.Errorf("%s is %v", enum.path, v)
			}
		}
	}
	if n := number(e["time"]); n < 0 {
		t.Errorf("time %v", e["time"])
	}
}

func number(v any) int {
	n, err := v.(json.Number).Int64()
	if err != nil {
		return -1
	}
	return int(n)
}

// has tells whether m has at least n of the names, and none of them empty.
func has(m map[string]any, names []string, n int) bool {
	for _, name := range names {
		if v, ok := m[name]; ok && v != "" && v != nil {
			n--
		}
	}
	return n <= 0
}

// at are the values at a dotted path, each of a list on the way.
func at(v any, path string) []any {
	name, rest, more := strings.Cut(path, ".")
	m, ok := v.(map[string]any)
	if !ok || m[name] == nil {
		return nil
	}
	list, isList := m[name].([]any)
	if !isList {
		list = []any{m[name]}
	}
	if !more {
		return list
	}
	var out []any
	for _, item := range list {
		out = append(out, at(item, rest)...)
	}
	return out
}

var (
	cefLine = regexp.MustCompile(`^CEF:0\|Sallyport\|Sallyport\|1\|((?:[^|\\]|\\[\\|])*)\|((?:[^|\\]|\\[\\|])*)\|(10|[0-9])\|(.*)$`)
	cefPair = regexp.MustCompile(`(?:^| )([a-zA-Z0-9]+)=((?:[^=\\]|\\[\\=n])*?)(?: [a-zA-Z0-9]+=|$)`)
)

// checkCEF reads a line as CEF's readers do, and holds the values to their lengths.
func checkCEF(t failer, line []byte) {
	t.Helper()
	found := cefLine.FindSubmatch(line)
	if found == nil || len(line) > 32<<10 {
		t.Errorf("not CEF, or too long: %q", line)
		return
	}
	pairs := map[string]string{}
	for rest := string(found[4]); rest != ""; {
		m := cefPair.FindStringSubmatchIndex(rest)
		if m == nil || m[0] != 0 {
			t.Errorf("%q is not key=value in %q", rest, line)
			return
		}
		pairs[rest[m[2]:m[3]]] = rest[m[4]:m[5]]
		rest = rest[m[5]:]
	}
	for _, key := range []string{"externalId", "cn1", "rt", "outcome", "cs1"} {
		if key != "externalId" && pairs[key] == "" {
			t.Errorf("%s is missing in %q: %v", key, line, fmt.Sprint(pairs))
		}
	}
}

func sortedStrings(s []string) []string {
	slices.Sort(s)
	return s
}
