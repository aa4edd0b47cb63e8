package awsapi_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/awsapi"
	"sallyport/internal/awsapi/identitystore"
	"sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/fault"
)

const (
	instance = "arn:aws:sso:::instance/ssoins-1234567890abcdef"
	storeID  = "d-1234567890"
	userID   = "a1b2c3d4-5678-90ab-cdef-111111111111"
)

func operation(t testing.TB, s *awsapi.Service, name string) *awsapi.OperationMeta {
	t.Helper()
	for _, o := range s.Operations {
		if o.Name == name {
			return o
		}
	}
	t.Fatalf("%s has no operation %s", s.ID, name)
	return nil
}

// decode reads a JSON body as an operation's input.
func decode(t testing.TB, s *awsapi.Service, op, body string) (any, error) {
	t.Helper()
	return s.DecodeRequest(operation(t, s, op), httptest.NewRequest("POST", "/", nil), []byte(body))
}

func TestDecodeJSON(t *testing.T) {
	t.Parallel()
	name := "PS"
	want := &ssoadmin.CreatePermissionSetRequest{
		InstanceArn: instance, Name: "PS", Description: &name,
		Tags: []ssoadmin.Tag{{Key: "k", Value: ""}},
	}
	for label, body := range map[string]string{
		"plain":           `{"InstanceArn":"` + instance + `","Name":"PS","Description":"PS","Tags":[{"Key":"k","Value":""}]}`,
		"unknown members": `{"InstanceArn":"` + instance + `","Name":"PS","Description":"PS","Color":{"a":[1]},"Tags":[{"Key":"k","Value":"","X":0}]}`,
		"null is absent":  `{"InstanceArn":"` + instance + `","Name":"PS","Description":"PS","RelayState":null,"Tags":[{"Key":"k","Value":""}]}`,
		"exact names":     `{"InstanceArn":"` + instance + `","name":"other","Name":"PS","NAME":1,"Description":"PS","Tags":[{"Key":"k","Value":""}]}`,
		"white space":     " \n{\"InstanceArn\" : \"" + instance + `","Name":"PS", "Description":"PS","Tags":[{"Key":"k","Value":""}]}` + "\r\n ",
		"escapes":         `{"InstanceArn":"` + instance + `","N\u0061me":"P\u0053","Description":"PS","Tags":[{"Key":"k","Value":""}]}`,
	} {
		in, err := decode(t, &ssoadmin.Info, "CreatePermissionSet", body)
		if err != nil {
			t.Errorf("%s: %v", label, err)
		}
		if diff := cmp.Diff(any(want), in); diff != "" {
			t.Errorf("%s (-want +got):\n%s", label, diff)
		}
	}
}

func TestDecodeEmptyBody(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{}"} {
		if in, err := decode(t, &ssoadmin.Info, "ListInstances", body); err != nil || cmp.Diff(any(&ssoadmin.ListInstancesRequest{}), in) != "" {
			t.Errorf("body %q: %v, %v", body, in, err)
		}
	}
}

func TestMalformedJSON(t *testing.T) {
	t.Parallel()
	for label, c := range map[string]struct{ body, want string }{
		"no JSON":             {`{"InstanceArn":`, "not valid JSON"},
		"garbage after it":    {`{} x`, "goes on"},
		"a second value":      {`{}{}`, "goes on"},
		"a list":              {`[]`, "Start of list"},
		"a string":            {`"x"`, "STRING_VALUE can not be converted to structure"},
		"null":                {`null`, "structure"},
		"missing comma":       {`{"MaxResults":1 "NextToken":"x"}`, "not valid JSON"},
		"trailing comma":      {`{"MaxResults":1,}`, "not valid JSON"},
		"twice":               {`{"MaxResults":1,"MaxResults":2}`, "twice"},
		"twice, escaped":      {`{"MaxResults":1,"MaxResult\u0073":2}`, "twice"},
		"twice, unknown":      {`{"x":{"a":1,"a":2}}`, "twice"},
		"not UTF-8":           {"{\"NextToken\":\"\xff\"}", "UTF-8"},
		"byte order mark":     {"\ufeff{}", "not valid JSON"},
		"string for integer":  {`{"MaxResults":"1"}`, "STRING_VALUE can not be converted to Integer at 'maxResults'"},
		"fraction":            {`{"MaxResults":1.5}`, "NUMBER_VALUE can not be converted to Integer at 'maxResults'"},
		"beyond 32 bits":      {`{"MaxResults":4294967297}`, "Integer at 'maxResults'"},
		"number for string":   {`{"NextToken":1}`, "NUMBER_VALUE can not be converted to String at 'nextToken'"},
		"boolean for string":  {`{"NextToken":true}`, "BOOLEAN_VALUE can not be converted to String"},
		"object for string":   {`{"NextToken":{}}`, "Start of structure or map"},
		"list for string":     {`{"NextToken":[]}`, "Start of list"},
		"deep, known member":  {`{"NextToken":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, "nested deeper"},
		"deep, unknown":       {`{"x":` + strings.Repeat(`{"x":`, 100000) + "1" + strings.Repeat("}", 100001), "nested deeper"},
		"too many values":     {`{"x":[` + strings.Repeat("{},", 20000) + `{}]}`, "more than 20000 values"},
		"unbalanced":          {`{"x":[}`, "not valid JSON"},
		"larger than allowed": {`{"x":"` + strings.Repeat("x", awsapi.MaxBody) + `"}`, "larger than"},
	} {
		in, err := decode(t, &ssoadmin.Info, "ListInstances", c.body)
		if in != nil || fault.KindOf(err) != fault.Malformed || !strings.Contains(fault.As(err).Message, c.want) {
			t.Errorf("%s: %v, %v; want %q", label, in, err, c.want)
		}
	}
	form := `{"InstanceArn":"` + instance + `","Name":"PS","Tags":{"member":{"1":{"Key":"k","Value":"v"}}}}`
	if _, err := decode(t, &ssoadmin.Info, "CreatePermissionSet", form); fault.KindOf(err) != fault.Malformed {
		t.Errorf("a form's list in JSON: %v", err)
	}
}

// TestLargeJSON: values are bounded in proportion to the bytes.
func TestLargeJSON(t *testing.T) {
	t.Parallel()
	members := func(n int) []byte { return []byte(`[` + strings.Repeat(`{"value":"0"},`, n-1) + `{}]`) }
	if v, err := awsapi.ParseLargeJSON(members(25_000), 1<<20); err != nil || len(v.([]any)) != 25_000 {
		t.Errorf("25,000 members: %v", err)
	}
	for label, err := range map[string]error{"bytes": large(members(100_000), 1<<20), "values": large([]byte(`[`+strings.Repeat("1,", 60_000)+`1]`), 1<<20), "twice": large([]byte(`{"a":1,"a":2}`), 1<<20)} {
		if fault.KindOf(err) != fault.Malformed {
			t.Errorf("%s: %v", label, err)
		}
	}
}

func large(body []byte, most int) error {
	_, err := awsapi.ParseLargeJSON(body, most)
	return err
}

func TestViolations(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	for _, c := range []struct {
		service        *awsapi.Service
		op, body, want string
	}{
		{
			&ssoadmin.Info, "DescribeInstance", `{}`,
			`1 validation error detected: Value null at 'instanceArn' failed to satisfy constraint: Member must not be null`,
		},
		{
			&ssoadmin.Info, "DescribeInstance", `{"instancearn":"` + instance + `"}`,
			`1 validation error detected: Value null at 'instanceArn' failed to satisfy constraint: Member must not be null`,
		},
		{
			&ssoadmin.Info, "ListAccountAssignments", `{"InstanceArn":"x","AccountId":"123456789012"}`,
			`3 validation errors detected: ` +
				`Value 'x' at 'instanceArn' failed to satisfy constraint: Member must have length greater than or equal to 10; ` +
				`Value 'x' at 'instanceArn' failed to satisfy constraint: Member must satisfy regular expression pattern: ` +
				`arn:aws(-[a-z]{1,5}){0,3}:sso:::instance/(sso)?ins-[a-zA-Z0-9-.]{16}; ` +
				`Value null at 'permissionSetArn' failed to satisfy constraint: Member must not be null`,
		},
		{
			&ssoadmin.Info, "ListInstances", `{"MaxResults":0,"RegionScope":"x"}`,
			`2 validation errors detected: ` +
				`Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1; ` +
				`Value 'x' at 'regionScope' failed to satisfy constraint: Member must satisfy enum value set: [CURRENT_REGION, ALL_REGIONS]`,
		},
		{
			&ssoadmin.Info, "TagResource", `{"ResourceArn":"` + instance + `","Tags":[{"Key":"k","Value":"v"},{"Key":"","Value":null},null]}`,
			`3 validation errors detected: ` +
				`Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1; ` +
				`Value null at 'tags.2.member.value' failed to satisfy constraint: Member must not be null; ` +
				`Value null at 'tags.3.member' failed to satisfy constraint: Member must not be null`,
		},
		{
			&ssoadmin.Info, "UntagResource", `{"ResourceArn":"` + instance + `","TagKeys":["ok","!"]}`,
			`1 validation error detected: Value '[ok, !]' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: ` +
				`[Member must have length less than or equal to 128, Member must have length greater than or equal to 1, ` +
				`Member must satisfy regular expression pattern: ([\p{L}\p{Z}\p{N}_.:/=+\-@]*)]`,
		},
		{ // sensitive: neither the name nor the list of identifiers that has a sensitive one inside is repeated
			&identitystore.Info, "CreateUser", `{"IdentityStoreId":"` + storeID + `","UserName":"has space"}`,
			`1 validation error detected: Value at 'userName' failed to satisfy constraint: ` +
				`Member must satisfy regular expression pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}]+`,
		},
		{
			&identitystore.Info, "GetUserId", `{"IdentityStoreId":"` + storeID + `","AlternateIdentifier":{}}`,
			`1 validation error detected: Value at 'alternateIdentifier' failed to satisfy constraint: Member must have exactly one member set`,
		},
		{
			&identitystore.Info, "ListGroupMembershipsForMember", `{"IdentityStoreId":"` + storeID + `","MemberId":{"UserId":"x"}}`,
			`1 validation error detected: Value 'x' at 'memberId.userId' failed to satisfy constraint: Member must satisfy regular expression pattern: ` +
				`([0-9a-f]{10}-|)[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}`,
		},
		{
			&identitystore.Info, "CreateUser", `{"IdentityStoreId":"` + storeID + `","Extensions":{"Bad":{}}}`,
			`1 validation error detected: Value '[Bad]' at 'extensions' failed to satisfy constraint: Map keys must satisfy constraint: ` +
				`[Member must have length less than or equal to 50, Member must have length greater than or equal to 1, ` +
				`Member must satisfy regular expression pattern: aws:identitystore:[a-z]{1,20}]`,
		},
		{
			&ssoadmin.Info, "CreatePermissionSet", `{"InstanceArn":"` + instance + `","Name":"` + long + `"}`,
			`1 validation error detected: Value '` + long[:256] + `...' at 'name' failed to satisfy constraint: Member must have length less than or equal to 32`,
		},
	} {
		in, err := decode(t, c.service, c.op, c.body)
		if in == nil || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s %s: %v, %v; want the input and a fault", c.op, c.body, in, err)
			continue
		}
		if diff := cmp.Diff(c.want, fault.As(err).Message); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", c.op, c.body, diff)
		}
	}
}

// TestLimitsCountCharacters: 700 characters of two bytes each are a valid description, 701 are not.
func TestLimitsCountCharacters(t *testing.T) {
	t.Parallel()
	for n, valid := range map[int]bool{700: true, 701: false} {
		body := `{"InstanceArn":"` + instance + `","Name":"PS","Description":"` + strings.Repeat("é", n) + `"}`
		if _, err := decode(t, &ssoadmin.Info, "CreatePermissionSet", body); (err == nil) != valid {
			t.Errorf("%d characters: %v", n, err)
		}
	}
}

// TestPatternsMeanTheWholeValue: neither a prefix nor a line is enough.
func TestPatternsMeanTheWholeValue(t *testing.T) {
	t.Parallel()
	for value, valid := range map[string]bool{
		storeID: true, "x" + storeID: false, storeID + "x": false, storeID + "\n": false, "d-1234567890\nx": false,
		"12345678-1234-1234-1234-123456789012": true, "d-123456789": false,
	} {
		body := `{"IdentityStoreId":"` + strings.ReplaceAll(value, "\n", `\n`) + `"}`
		if _, err := decode(t, &identitystore.Info, "ListUsers", body); (err == nil) != valid {
			t.Errorf("%q: %v", value, err)
		}
	}
}

// TestZeroCharacters are refused wherever a text can be, whatever the model says of it.
func TestZeroCharacters(t *testing.T) {
	t.Parallel()
	document := func(v string) string {
		return `{"IdentityStoreId":"` + storeID + `","UserId":"` + userID + `","Operations":[{"AttributePath":"title","AttributeValue":` + v + `}]}`
	}
	for _, c := range []struct {
		service  *awsapi.Service
		op, body string
	}{
		{&ssoadmin.Info, "PutInlinePolicyToPermissionSet", `{"InstanceArn":"` + instance + `","PermissionSetArn":"x","InlinePolicy":"\u0000"}`},
		{&identitystore.Info, "UpdateUser", document(`"\u0000"`)},
		{&identitystore.Info, "UpdateUser", document(`[{"x":["a\u0000b"]}]`)},
		{&identitystore.Info, "UpdateUser", document(`{"\u0000":1}`)},
	} {
		in, err := decode(t, c.service, c.op, c.body)
		if in == nil || fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "zero character (U+0000)") {
			t.Errorf("%s: %v, %v", c.body, in, err)
		}
	}
	if _, err := decode(t, &identitystore.Info, "UpdateUser", document(`"\u0001\\u0000"`)); err != nil { // a backslash and digits
		t.Error(err)
	}
}

func TestManyViolationsAreCountedNotListed(t *testing.T) {
	t.Parallel()
	body := `{"ResourceArn":"` + instance + `","Tags":[` + strings.TrimSuffix(strings.Repeat(`{"Key":""},`, 5000), ",") + `]}`
	_, err := decode(t, &ssoadmin.Info, "TagResource", body)
	m := fault.As(err).Message
	if !strings.HasPrefix(m, "10001 validation errors detected: ") || strings.Count(m, "; ") != 99 {
		t.Errorf("%d bytes: %.120s", len(m), m)
	}
}

func TestDocumentsStayJSON(t *testing.T) {
	t.Parallel()
	body := `{"IdentityStoreId":"` + storeID + `","UserId":"` + userID + `","Operations":[{"AttributePath":"emails","AttributeValue":[{"Value":"<a&b>","N":1e3,"X":null}]}]}`
	in, err := decode(t, &identitystore.Info, "UpdateUser", body)
	if err != nil {
		t.Fatal(err)
	}
	got := string(in.(*identitystore.UpdateUserRequest).Operations[0].AttributeValue)
	if want := `[{"N":1e3,"Value":"<a&b>","X":null}]`; got != want {
		t.Errorf("document %s, want %s", got, want)
	}
}

func TestTimestamps(t *testing.T) {
	t.Parallel()
	op := operation(t, &ssoadmin.Info, "DescribeRegion")
	for body, want := range map[string]time.Time{
		`{"AddedDate":1628180064.123}`: time.UnixMilli(1628180064123).UTC(),
		`{"AddedDate":946684800}`:      time.Unix(946684800, 0).UTC(),
		`{"AddedDate":9.466848e8}`:     time.Unix(946684800, 0).UTC(),
		`{"AddedDate":-1}`:             time.Unix(-1, 0).UTC(),
	} {
		out, err := readOK(t, &ssoadmin.Info, op, body)
		if err != nil || !out.(*ssoadmin.DescribeRegionResponse).AddedDate.Equal(want) {
			t.Errorf("%s: %v, %v", body, out, err)
		}
	}
	for _, body := range []string{`{"AddedDate":"2026-01-01T00:00:00Z"}`, `{"AddedDate":1e300}`, `{"AddedDate":1e999}`, `{"AddedDate":true}`} {
		if _, err := readOK(t, &ssoadmin.Info, op, body); fault.KindOf(err) != fault.Malformed {
			t.Errorf("%s: %v", body, err)
		}
	}
}
