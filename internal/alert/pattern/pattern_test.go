package pattern_test

import (
	"slices"
	"strings"
	"testing"

	"sallyport/internal/alert/pattern"
	"sallyport/internal/fault"
)

// ec2 is the event of the guide, with more in it.
const ec2 = `{"version":"0","detail-type":"EC2 Instance State-change Notification","source":"aws.ec2","account":"123456789012","region":"us-west-1","resources":["arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0","arn:2"],"detail":{"instance-id":"i-1234567890abcdef0","state":"terminated","c-count":5,"d-count":3,"x-limit":301.8,"source-ip":"10.0.0.33","nothing":null,"empty":"","none":[],"EventBusArn":"arn:aws:events:us-east-1:123456789012:event-bus/myEventBus","FileName":"dir1/file.PNG","price":300,"big":3.0e2,"yes":true}}`

// examples of patterns that it is held against.
var examples = []struct {
	about, pattern string
	matches        bool
}{
	{"value", `{"source":["aws.ec2"],"detail":{"state":["running","terminated"]}}`, true},
	{"other value", `{"source":["aws.ec2"],"detail":{"state":["running"]}}`, false},
	{"element of a list", `{"resources":["arn:2"]}`, true},
	{"null", `{"detail":{"nothing":[null]}}`, true},
	{"null is not empty", `{"detail":{"empty":[null]}}`, false},
	{"empty text", `{"detail":{"empty":[""]}}`, true},
	{"boolean", `{"detail":{"yes":[true]}}`, true},
	{"boolean is no text", `{"detail":{"yes":["true"]}}`, false},
	{"number", `{"detail":{"price":[300]}}`, true},
	{"number as it is spelled", `{"detail":{"price":[300.0]}}`, false},
	{"number as it is spelled, in the event", `{"detail":{"big":[300]}}`, false},
	{"prefix", `{"region":[{"prefix":"us-"}]}`, true},
	{"prefix without case", `{"detail":{"state":[{"prefix":{"equals-ignore-case":"TERM"}}]}}`, true},
	{"prefix with case", `{"detail":{"state":[{"prefix":"TERM"}]}}`, false},
	{"suffix", `{"detail":{"FileName":[{"suffix":".PNG"}]}}`, true},
	{"suffix with case", `{"detail":{"FileName":[{"suffix":".png"}]}}`, false},
	{"suffix without case", `{"detail":{"FileName":[{"suffix":{"equals-ignore-case":".png"}}]}}`, true},
	{"without case", `{"detail":{"state":[{"equals-ignore-case":"TERMINATED"}]}}`, true},
	{"anything but", `{"detail":{"state":[{"anything-but":"initializing"}]}}`, true},
	{"anything but it", `{"detail":{"state":[{"anything-but":"terminated"}]}}`, false},
	{"anything but a number", `{"detail":{"x-limit":[{"anything-but":123}]}}`, true},
	{"anything but a list", `{"detail":{"state":[{"anything-but":["stopped","overloaded"]}]}}`, true},
	{"anything but a list with it", `{"detail":{"state":[{"anything-but":["stopped","terminated"]}]}}`, false},
	{"anything but numbers", `{"detail":{"c-count":[{"anything-but":[100,200,5]}]}}`, false},
	{"anything but a prefix", `{"detail":{"state":[{"anything-but":{"prefix":"init"}}]}}`, true},
	{"anything but its prefix", `{"detail":{"state":[{"anything-but":{"prefix":"term"}}]}}`, false},
	{"anything but prefixes", `{"detail":{"state":[{"anything-but":{"prefix":["init","term"]}}]}}`, false},
	{"anything but a suffix", `{"detail":{"FileName":[{"anything-but":{"suffix":".txt"}}]}}`, true},
	{"anything but suffixes", `{"detail":{"FileName":[{"anything-but":{"suffix":[".txt",".PNG"]}}]}}`, false},
	{"anything but without case", `{"detail":{"state":[{"anything-but":{"equals-ignore-case":["INITIALIZING","Terminated"]}}]}}`, false},
	{"anything but a wildcard", `{"detail":{"FileName":[{"anything-but":{"wildcard":"*/lib/*"}}]}}`, true},
	{"anything but its wildcard", `{"detail":{"FileName":[{"anything-but":{"wildcard":["*/lib/*","dir1/*"]}}]}}`, false},
	{"anything but, of a list, wants one that differs", `{"resources":[{"anything-but":"arn:2"}]}`, true},
	{"anything but wants something", `{"detail":{"missing":[{"anything-but":"a"}]}}`, false},
	{"numeric", `{"detail":{"c-count":[{"numeric":[">",0,"<=",5]}],"d-count":[{"numeric":["<",10]}],"x-limit":[{"numeric":["=",3.018e2]}]}}`, true},
	{"numeric, at the edge", `{"detail":{"c-count":[{"numeric":["<",5]}]}}`, false},
	{"numeric compares values", `{"detail":{"big":[{"numeric":["=",300]}]}}`, true},
	{"numeric is for numbers", `{"detail":{"state":[{"numeric":[">",0]}]}}`, false},
	{"cidr", `{"detail":{"source-ip":[{"cidr":"10.0.0.0/24"}]}}`, true},
	{"other cidr", `{"detail":{"source-ip":[{"cidr":"10.0.1.0/24"}]}}`, false},
	{"one address", `{"detail":{"source-ip":[{"cidr":"10.0.0.33"}]}}`, true},
	{"cidr of a text", `{"detail":{"state":[{"cidr":"0.0.0.0/0"}]}}`, false},
	{"exists", `{"detail":{"c-count":[{"exists":true}]}}`, true},
	{"exists, null", `{"detail":{"nothing":[{"exists":true}]}}`, true},
	{"exists, missing", `{"detail":{"other":[{"exists":true}]}}`, false},
	{"exists is about leaves", `{"detail":[{"exists":true}]}`, false},
	{"exists not", `{"detail":{"other":[{"exists":false}]}}`, true},
	{"exists not, there", `{"detail":{"c-count":[{"exists":false}]}}`, false},
	{"exists not, below what is missing", `{"detail":{"no":{"such":[{"exists":false}]}}}`, true},
	{"exists not, below a leaf", `{"detail":{"state":{"such":[{"exists":false}]}}}`, true},
	{"exists not, or a value", `{"detail":{"other":[{"exists":false},"a"]}}`, true},
	{"an empty list is nothing", `{"detail":{"none":[{"exists":false}]}}`, true},
	{"wildcard", `{"detail":{"EventBusArn":[{"wildcard":"arn:aws:events:us-east-1:*:event-bus/*"}]}}`, true},
	{"wildcard in between", `{"detail":{"FileName":[{"wildcard":"dir*/f*.PNG"}]}}`, true},
	{"wildcard of nothing", `{"detail":{"empty":[{"wildcard":"*"}]}}`, true},
	{"wildcard, too much at the end", `{"detail":{"FileName":[{"wildcard":"dir*/f*.PN"}]}}`, false},
	{"wildcard without a star", `{"detail":{"state":[{"wildcard":"terminated"}]}}`, true},
	{"wildcard with a star that is one", `{"detail":{"state":[{"wildcard":"term\\*"}]}}`, false},
	{"or", `{"detail":{"$or":[{"c-count":[{"numeric":[">",100]}]},{"d-count":[{"numeric":["<",10]}]}]}}`, true},
	{"or, neither", `{"detail":{"$or":[{"c-count":[7]},{"d-count":[7]}]}}`, false},
	{"or with and", `{"source":["aws.ec2"],"$or":[{"region":["eu-1"]},{"account":["123456789012"],"detail":{"state":["terminated"]}}]}`, true},
	{"or in or", `{"$or":[{"region":["eu-1"]},{"$or":[{"account":["1"]},{"source":["aws.ec2"]}]}]}`, true},
	{"operators beside each other", `{"detail":{"state":["running",{"prefix":"term"}],"c-count":[{"numeric":["<",1]},5]}}`, true},
}

// TestDocumentedExamples: EventBridge's user guide, "Comparison operators for use in event patterns" and "Creating event patterns", and the
// finer points of its library (github.com/aws/event-ruler, README).
func TestDocumentedExamples(t *testing.T) {
	t.Parallel()
	for _, c := range examples {
		p, err := pattern.Parse(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.about, err)
			continue
		}
		event, err := pattern.Decode([]byte(ec2))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Matches(event); got != c.matches {
			t.Errorf("%s: %s: %v", c.about, c.pattern, got)
		}
	}
}

// TestListsOfObjects: what is said of one object must be true of one and the same (event-ruler, "And and Or Relationship among fields", and
// its section on consistency in lists).
func TestListsOfObjects(t *testing.T) {
	t.Parallel()
	const event = `{"employees":[{"firstName":"John","lastName":"Doe","tags":["a","b"]},{"firstName":"Anna","lastName":"Smith","dog":{"name":"Rex"}}]}`
	for p, want := range map[string]bool{
		`{"employees":{"firstName":["Anna"]}}`:                                   true,
		`{"employees":{"firstName":["Anna"],"lastName":["Smith"]}}`:              true,
		`{"employees":{"firstName":["John"],"lastName":["Smith"]}}`:              false,
		`{"employees":{"firstName":["John"],"tags":["b"]}}`:                      true,
		`{"employees":{"firstName":["Anna"],"tags":["b"]}}`:                      false,
		`{"employees":{"firstName":["Anna"],"dog":{"name":["Rex"]}}}`:            true,
		`{"employees":{"firstName":["John"],"dog":{"name":["Rex"]}}}`:            false,
		`{"employees":{"cat":[{"exists":false}]}}`:                               true,
		`{"employees":{"firstName":["John"],"dog":{"name":[{"exists":false}]}}}`: false, // there is one, of somebody
	} {
		compiled, err := pattern.Parse(p)
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		v, err := pattern.Decode([]byte(event))
		if err != nil {
			t.Fatal(err)
		}
		if got := compiled.Matches(v); got != want {
			t.Errorf("%s: %v", p, got)
		}
	}
}

func TestRefusedPatterns(t *testing.T) {
	t.Parallel()
	for p, want := range map[string]string{
		``:                                    "not JSON",
		`{"a":["b"]`:                          "not JSON",
		`{"a":["b"]} {}`:                      "goes on",
		`["a"]`:                               "not an object",
		`{}`:                                  "empty object",
		`{"a":{}}`:                            "empty object at a",
		`{"a":[]}`:                            "empty list at a",
		`{"a":"b"}`:                           "single value at a",
		`{"a":null}`:                          "single value at a",
		`{"a":[["b"]]}`:                       "list in a list at a",
		`{"a":["b"],"a":["c"]}`:               "twice",
		`{"a":[{"prefix":"x","suffix":"y"}]}`: "one member",
		`{"a":[{}]}`:                          "one member",
		`{"a":[{"regexp":"x"}]}`:              "no operator",
		`{"a":[{"prefix":""}]}`:               "empty prefix",
		`{"a":[{"suffix":1}]}`:                "takes a text",
		`{"a":[{"prefix":{"wildcard":"x"}}]}`: "equals-ignore-case",
		`{"a":[{"exists":"yes"}]}`:            "true or false",
		`{"a":[{"anything-but":[]}]}`:         "empty list",
		`{"a":[{"anything-but":null}]}`:       "texts or numbers",
		`{"a":[{"anything-but":{"numeric":["=",1]}}]}`:                  "anything-but takes",
		`{"a":[{"anything-but":{"prefix":[]}}]}`:                        "empty list",
		`{"a":[{"numeric":[">"]}]}`:                                     "numeric takes",
		`{"a":[{"numeric":["!",1]}]}`:                                   "numeric takes",
		`{"a":[{"numeric":["< <=",1]}]}`:                                "numeric takes",
		`{"a":[{"numeric":["=","1"]}]}`:                                 "numeric takes",
		`{"a":[{"numeric":["=",6e9]}]}`:                                 "5e9",
		`{"a":[{"numeric":["<",1,">",0]}]}`:                             "from below",
		`{"a":[{"numeric":[">",1,"<",1]}]}`:                             "from below",
		`{"a":[{"cidr":"10.0.0.0/33"}]}`:                                "address range",
		`{"a":[{"cidr":"fe80::1%eth0"}]}`:                               "address range",
		`{"a":[{"wildcard":"a**"}]}`:                                    "two stars",
		`{"a":[{"wildcard":"a\\b"}]}`:                                   "stands before",
		`{"a":[{"wildcard":"a\\"}]}`:                                    "stands before",
		`{"a":[{"wildcard":"` + strings.Repeat("*a", 40) + `"}]}`:       "stars in the pattern",
		`{"$or":{"a":["b"]}}`:                                           "two or more",
		`{"$or":[{"a":["b"]}]}`:                                         "two or more",
		`{"$or":[{"a":["b"]},["c"]]}`:                                   "list of objects",
		`{"a":["` + strings.Repeat("x", 2048) + `"]}`:                   "2048",
		strings.Repeat(`{"a":`, 40) + `["b"]` + strings.Repeat("}", 40): "levels deep",
		`{` + strings.Repeat(`"x":{"$or":[{"a":["b"]},{"a":["c"]},{"a":["d"]},{"a":["e"]}],`, 6) + `"z":["z"]` + strings.Repeat("}", 7): "combinations",
		"{\"a\":[\"\xff\"]}": "UTF-8",
	} {
		_, err := pattern.Parse(p)
		if f := fault.As(err); f == nil || f.Kind != fault.Invalid || !strings.Contains(f.Message, want) {
			t.Errorf("%.80s: %v, want %q", p, err, want)
		}
	}
}

// TestOnly: what an event must have for a pattern to match is what it is sorted by.
func TestOnly(t *testing.T) {
	t.Parallel()
	for p, want := range map[string][]string{
		`{"detail":{"eventName":["A","B"]}}`:                                      {"A", "B"},
		`{"detail":{"eventName":["A",{"prefix":"B"}]}}`:                           nil,
		`{"detail":{"eventName":["A",{"exists":false}]}}`:                         nil,
		`{"detail":{"eventName":[1]}}`:                                            nil,
		`{"detail":{"other":["A"]}}`:                                              nil,
		`{"detail":{"$or":[{"eventName":["A"]},{"eventName":["B"],"x":[1]}]}}`:    {"A", "B"},
		`{"detail":{"$or":[{"eventName":["A"]},{"x":[1]}]}}`:                      nil,
		`{"$or":[{"detail":{"eventName":["A"]}},{"detail":{"eventName":["C"]}}]}`: {"A", "C"},
		`{"detail":{"eventName":["A"],"$or":[{"eventName":["B"]},{"x":[1]}]}}`:    {"A"},
		`{"detail":{"eventName":{"x":["A"]}}}`:                                    nil,
	} {
		c, err := pattern.Parse(p)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Only("detail", "eventName"); !slices.Equal(got, want) {
			t.Errorf("%s: %v", p, got)
		}
	}
}

// FuzzPattern: whatever pattern meets whatever event, neither panics, and what a pattern alone can match is all that it does match.
func FuzzPattern(f *testing.F) {
	for _, p := range []string{
		`{"detail":{"eventName":["A"]}}`, `{"a":[{"anything-but":{"wildcard":["*a*","b*"]}}]}`, `{"$or":[{"a":[{"exists":false}]},{"b":{"c":[{"numeric":[">",1,"<=",2]}]}}]}`,
		`{"a":[{"cidr":"::/0"},{"prefix":{"equals-ignore-case":"ß"}},{"suffix":"x"},null,true,1e5]}`,
	} {
		for _, e := range []string{`{"a":[1,[{"b":null}],{"c":{}}],"detail":{"eventName":"A"}}`, `{"b":[{"c":2}],"a":"::1"}`, `{}`} {
			f.Add(p, e)
		}
	}
	f.Fuzz(func(t *testing.T, text, event string) {
		e, err := pattern.Decode([]byte(event))
		if err != nil {
			return
		}
		p, err := pattern.Parse(text)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		matches := p.Matches(e)
		if matches != p.Matches(e) {
			t.Error("it depends")
		}
		only := p.Only("detail", "eventName")
		detail, _ := e["detail"].(map[string]any)
		if name, isText := detail["eventName"].(string); matches && only != nil && isText && !slices.Contains(only, name) {
			t.Errorf("%q matches %q, which has another name than %v", text, event, only)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	p, err := pattern.Parse(`{"source":["aws.sso"],"detail":{"eventName":["CreateAccountAssignment"],"userIdentity":{"arn":[{"anything-but":{"prefix":"arn:aws:iam::1:role/ci"}}]}}}`)
	if err != nil {
		b.Fatal(err)
	}
	event, err := pattern.Decode([]byte(`{"source":"aws.sso","detail":{"eventName":"CreateAccountAssignment","userIdentity":{"arn":"arn:aws:iam::2:user/x"}}}`))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if !p.Matches(event) {
			b.Fatal("no match")
		}
	}
}
