package policy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"pgregory.net/rapid"

	"sallyport/internal/policy"
)

// The generators draw from few words, so that policies and requests meet often.

const (
	account   = "111122223333"
	userARN   = "arn:aws:iam::111122223333:user/anna"
	roleARN   = "arn:aws:iam::111122223333:role/team/app"
	sessARN   = "arn:aws:sts::111122223333:assumed-role/app/anna"
	provider  = "arn:aws:iam::111122223333:saml-provider/p"
	elsewhere = "999999999999"
)

func oneOf[T any](t *rapid.T, values ...T) T { return rapid.SampledFrom(values).Draw(t, "one") }

func pick[T any](first bool, a, b T) T {
	if first {
		return a
	}
	return b
}

func chance(t *rapid.T, percent int) bool { return rapid.IntRange(1, 100).Draw(t, "chance") <= percent }

// drawList draws one to three values, a single one sometimes without its list.
func drawList(t *rapid.T, draw func(*rapid.T) any) any {
	n := rapid.IntRange(0, 3).Draw(t, "count")
	if n == 0 {
		return draw(t)
	}
	many := make([]any, n)
	for i := range many {
		many[i] = draw(t)
	}
	return many
}

func drawGlob(t *rapid.T) string {
	return rapid.StringOfN(rapid.SampledFrom([]rune("aab:é*?")), 0, 8, -1).Draw(t, "glob")
}

func drawPlain(t *rapid.T) string {
	return rapid.StringOfN(rapid.SampledFrom([]rune("aab:é*?")), 0, 8, -1).Draw(t, "text")
}

func drawAction(t *rapid.T) any {
	return oneOf(t, "s3:GetObject", "s3:getobject", "S3:Get*", "s3:*", "*", "s3:?etObject", "*:Get*", "s3:Put*", "iam:*", "sts:AssumeRole", "s3:G*t*j*")
}

func drawResource(t *rapid.T) any {
	if chance(t, 30) {
		return "arn:" + drawGlob(t)
	}
	return oneOf(t, "*", "arn:aws:s3:::data/*", "arn:aws:s3:::data/x", "arn:aws:s3:::data/${aws:username}/*", "arn:aws:s3:::${k:text, 'data'}/x",
		"arn:aws:s3:::d?ta/${*}", "arn:aws:s3:*x", "arn:${k:text}:*", "arn:aws:s3:::${open")
}

var operatorFamilies = map[string][]any{
	"String":  {"a", "b", "a*", "A", "*", "?", "", "${k:text}", "x${aws:username, 'a'}*", "${*}", true},
	"Arn":     {"arn:aws:s3:::data/*", "arn:*:s3:*:*:x", "arn:aws:s?:::${k:text}", userARN, "*", "${k:arn}"},
	"Numeric": {"1", "2", "1.5", 2, "1e0", "ten", "-1"},
	"Date":    {"2026-01-01", "2026-01-01T00:00:00Z", "1767225600", 1767225600, "2027", "soon"},
	"Bool":    {"true", "false", true, "maybe"},
	"Binary":  {"QQ==", "Qg==", "?"},
	"Ip":      {"10.0.0.0/8", "10.0.0.1", "2001:db8::/32", "0.0.0.0/0", "10.0.0.0/40"},
	"Null":    {"true", false, "perhaps"},
}

var operatorNames = map[string][]string{
	"String":  {"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike", "StringResembles"},
	"Arn":     {"ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"},
	"Numeric": {"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"},
	"Date":    {"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"},
	"Bool":    {"Bool"},
	"Binary":  {"BinaryEquals"},
	"Ip":      {"IpAddress", "NotIpAddress"},
	"Null":    {"Null"},
}

// contextValues are values of the request for the keys k:<family>, and some that do not fit.
var contextValues = map[string][]string{
	"k:text":       {"a", "b", "ab", "A", "", "*", "data"},
	"k:arn":        {"arn:aws:s3:::data/x", userARN, "arn:aws:s3:a:b:x", "x"},
	"k:number":     {"1", "2", "1.50", "three", "-1"},
	"k:date":       {"2026-01-01", "2026-01-01T01:00:00+01:00", "2025", "1767225601", "later"},
	"k:bool":       {"true", "FALSE", "1"},
	"k:binary":     {"QQ==", "QR==", "Qg=="},
	"k:ip":         {"10.0.0.1", "11.0.0.1", "2001:db8::1", "::ffff:10.0.0.1", "host"},
	"aws:username": {"anna", "*", "a"},
}

var familyKeys = map[string]string{
	"String": "k:Text", "Arn": "k:ARN", "Numeric": "k:Number", "Date": "k:Date", "Bool": "k:Bool", "Binary": "k:Binary", "Ip": "k:IP",
}

var families = slices.Sorted(maps.Keys(operatorFamilies))

func drawCondition(t *rapid.T) any {
	condition := map[string]any{}
	for range rapid.IntRange(1, 2).Draw(t, "operators") {
		family := oneOf(t, families...)
		name := oneOf(t, "", "", "ForAllValues:", "ForAnyValue:") + oneOf(t, operatorNames[family]...) + oneOf(t, "", "", "IfExists")
		key := familyKeys[family]
		if family == "Null" || chance(t, 10) {
			key = oneOf(t, slices.Sorted(maps.Values(familyKeys))...)
		}
		condition[name] = map[string]any{key: drawList(t, func(t *rapid.T) any {
			if (family == "String" || family == "Arn") && chance(t, 30) {
				return drawGlob(t)
			}
			return oneOf(t, operatorFamilies[family]...)
		})}
	}
	return condition
}

func drawPrincipals(t *rapid.T) any {
	if chance(t, 20) {
		return "*"
	}
	return oneOf[any](t,
		map[string]any{"AWS": drawList(t, func(t *rapid.T) any {
			return oneOf(t, "*", account, elsewhere, userARN, roleARN, sessARN, "arn:aws:iam::"+account+":root", "AROAEXAMPLEEXAMPLE00")
		})},
		map[string]any{"AWS": []any{sessARN, roleARN, account}},
		map[string]any{"Federated": provider}, map[string]any{"Service": []any{"ec2.amazonaws.com"}},
		map[string]any{"Service": "ec2.amazonaws.com", "AWS": userARN}, map[string]any{"Planet": "Mars"})
}

// drawStatement draws a statement, now and then an unreadable one.
func drawStatement(t *rapid.T, onResource bool) map[string]any {
	s := map[string]any{"Effect": oneOf(t, "Allow", "Allow", "Allow", "Deny")}
	s[oneOf(t, "Action", "Action", "Action", "NotAction")] = drawList(t, drawAction)
	s[oneOf(t, "Resource", "Resource", "Resource", "NotResource")] = drawList(t, drawResource)
	if onResource != chance(t, 3) {
		s[oneOf(t, "Principal", "Principal", "Principal", "NotPrincipal")] = drawPrincipals(t)
	}
	if chance(t, 60) {
		s["Condition"] = drawCondition(t)
	}
	if chance(t, 2) {
		s["Unheard"] = "of"
	}
	return s
}

func drawDocument(t *rapid.T, onResource bool) string {
	doc := map[string]any{"Version": "2012-10-17"}
	if chance(t, 15) {
		doc["Version"] = "2008-10-17"
	}
	statements := []any{}
	for range rapid.IntRange(1, 3).Draw(t, "statements") {
		statements = append(statements, drawStatement(t, onResource))
	}
	doc["Statement"] = statements
	return encode(doc)
}

func encode(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// drawDocuments draws a layer; one in a hundred policies is gone.
func drawDocuments(t *rapid.T, onResource bool) []string {
	documents := []string{}
	for range rapid.IntRange(0, 2).Draw(t, "policies") {
		doc := drawDocument(t, onResource)
		if chance(t, 1) {
			doc = ""
		}
		documents = append(documents, doc)
	}
	return documents
}

func drawSet(t *rapid.T) policySet {
	s := policySet{Identity: drawDocuments(t, false), Trust: chance(t, 15)}
	if chance(t, 40) {
		s.Identity = append(s.Identity, allowAll)
	}
	if chance(t, 30) {
		boundary := oneOf(t, drawDocument(t, false), allowAll, "")
		s.Boundary = &boundary
	}
	for range rapid.IntRange(0, 2).Draw(t, "sessions") {
		s.Session = append(s.Session, oneOf(t, drawDocuments(t, false), []string{allowAll}))
	}
	if chance(t, 60) {
		s.Resource = drawDocuments(t, true)
	}
	return s
}

func drawRequest(t *rapid.T) policy.Request {
	req := policy.Request{
		Action:   oneOf(t, "s3:GetObject", "S3:getObject", "s3:PutObject", "iam:ListRoles", "sts:AssumeRole", ""),
		Resource: oneOf(t, "arn:aws:s3:::data/x", "arn:aws:s3:::data/anna/y", "arn:aws:s3:::data/*", "arn:"+drawPlain(t), "*", ""),
		Principal: oneOf(t, policy.Principal{}, policy.Principal{Account: account, ARN: userARN},
			policy.Principal{Account: account, ARN: sessARN, Issuer: roleARN}, policy.Principal{Account: account, ARN: "arn:aws:iam::" + account + ":root"},
			policy.Principal{Federated: provider}, policy.Principal{Service: "ec2.amazonaws.com"}),
		ResourceAccount: oneOf(t, "", "", account, elsewhere),
	}
	context := keys{}
	for _, key := range slices.Sorted(maps.Keys(contextValues)) {
		if !chance(t, 60) {
			continue
		}
		context[key] = []string{}
		for range rapid.SampledFrom([]int{1, 1, 1, 2, 0}).Draw(t, fmt.Sprint("values of ", key)) {
			context[key] = append(context[key], oneOf(t, append(contextValues[key], drawPlain(t))...))
		}
	}
	req.Context = context
	return req
}
