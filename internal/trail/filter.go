package trail

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// BasicSelector is an event selector, with the members that the API has.
type BasicSelector struct {
	ReadWriteType                 string         `json:",omitempty"`
	IncludeManagementEvents       *bool          `json:",omitempty"`
	DataResources                 []DataResource `json:",omitempty"`
	ExcludeManagementEventSources []string       `json:",omitempty"`
}

// DataResource is of a basic selector. There are no data events here: what it selects never happens.
type DataResource struct {
	Type   string   `json:",omitempty"`
	Values []string `json:",omitempty"`
}

// AdvancedSelector selects what all its fields fit.
type AdvancedSelector struct {
	Name           string `json:",omitempty"`
	FieldSelectors []FieldSelector
}

// FieldSelector holds a field against values: one of the positive ones, and none of the negative ones.
type FieldSelector struct {
	Field         string
	Equals        []string `json:",omitempty"`
	StartsWith    []string `json:",omitempty"`
	EndsWith      []string `json:",omitempty"`
	NotEquals     []string `json:",omitempty"`
	NotStartsWith []string `json:",omitempty"`
	NotEndsWith   []string `json:",omitempty"`
}

const (
	maxSelectors = 5
	maxValues    = 500
)

func badSelectors(format string, args ...any) error {
	return refuse(fault.Invalid, "InvalidEventSelectorsException", format, args...)
}

// managementFields are those that selectors of management events may name (CloudTrail API reference, AdvancedFieldSelector).
var managementFields = []string{"eventCategory", "eventName", "eventSource", "eventType", "readOnly", "sessionCredentialFromConsole", "userIdentity.arn"}

func checkBasic(list []BasicSelector) error {
	if len(list) == 0 || len(list) > maxSelectors {
		return badSelectors("A trail has 1 to %d event selectors.", maxSelectors)
	}
	for _, s := range list {
		if len(s.DataResources) > 0 {
			return badSelectors("There are no data events here: a selector has no DataResources.")
		}
		for _, source := range s.ExcludeManagementEventSources {
			if source != "kms.amazonaws.com" && source != "rdsdata.amazonaws.com" {
				return badSelectors("%.100q cannot be excluded: only kms.amazonaws.com and rdsdata.amazonaws.com can. Advanced selectors can leave out any eventSource.", source)
			}
		}
	}
	return nil
}

func checkAdvanced(list []AdvancedSelector) error {
	values := 0
	for _, s := range list {
		category := false
		for _, f := range s.FieldSelectors {
			n := len(f.Equals) + len(f.StartsWith) + len(f.EndsWith) + len(f.NotEquals) + len(f.NotStartsWith) + len(f.NotEndsWith)
			values += n
			switch {
			case n == 0:
				return badSelectors("The selector of %s has no operator.", f.Field)
			case !slices.Contains(managementFields, f.Field):
				return badSelectors("%.100q is no field of management events. They are %s.", f.Field, strings.Join(managementFields, ", "))
			case f.Field == "eventCategory" && !slices.Equal(f.Equals, []string{"Management"}):
				return badSelectors("There are no events here but of eventCategory Management.")
			case (f.Field == "eventCategory" || f.Field == "readOnly") && n != len(f.Equals):
				return badSelectors("The field %s takes Equals only.", f.Field)
			case f.Field == "readOnly" && (len(f.Equals) != 1 || f.Equals[0] != "true" && f.Equals[0] != "false"):
				return badSelectors("The field readOnly equals true or false.")
			}
			category = category || f.Field == "eventCategory"
		}
		if !category {
			return badSelectors("Each advanced selector must say that eventCategory equals Management.")
		}
	}
	if values > maxValues {
		return badSelectors("Advanced selectors have at most %d values together.", maxValues)
	}
	return nil
}

// filter decides which events a trail has. The zero filter takes all.
type filter struct {
	Basic    []BasicSelector    `json:",omitempty"`
	Advanced []AdvancedSelector `json:",omitempty"`
}

// filterOf is a trail's filter, and its text as a plan keeps it: empty where it takes all.
func filterOf(s store.TrailSpec) (f filter, text string, err error) {
	if len(s.Basic) > 0 {
		err = json.Unmarshal(s.Basic, &f.Basic)
	}
	if err == nil && len(s.Advanced) > 0 {
		err = json.Unmarshal(s.Advanced, &f.Advanced)
	}
	if err != nil {
		return f, "", fmt.Errorf("read selectors: %w", err)
	}
	if f.all() {
		return filter{}, "", nil
	}
	b, err := json.Marshal(f)
	return f, string(b), err
}

func parseFilter(text string) (f filter, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &f)
	}
	return f, err
}

// all tells whether nothing is left out.
func (f filter) all() bool {
	if len(f.Advanced) > 0 {
		return slices.ContainsFunc(f.Advanced, func(s AdvancedSelector) bool {
			return !slices.ContainsFunc(s.FieldSelectors, func(f FieldSelector) bool { return f.Field != "eventCategory" })
		})
	}
	return len(f.Basic) == 0 || slices.ContainsFunc(f.Basic, func(s BasicSelector) bool {
		return s.management() && (s.ReadWriteType == "" || s.ReadWriteType == "All")
	})
}

func (s BasicSelector) management() bool {
	return s.IncludeManagementEvents == nil || *s.IncludeManagementEvents
}

// fields are what selectors look at.
type fields struct {
	EventName    string
	EventSource  string
	EventType    string
	ReadOnly     bool
	UserIdentity struct{ ARN string }
	Console      string `json:"sessionCredentialFromConsole"`
}

// takes tells whether a trail has an event. One that cannot be read is not left out.
func (f filter) takes(event []byte) bool {
	if len(f.Basic) == 0 && len(f.Advanced) == 0 {
		return true
	}
	var e fields
	if json.Unmarshal(event, &e) != nil {
		return true
	}
	if len(f.Advanced) > 0 {
		return slices.ContainsFunc(f.Advanced, func(s AdvancedSelector) bool {
			return !slices.ContainsFunc(s.FieldSelectors, func(f FieldSelector) bool { return !f.fits(&e) })
		})
	}
	return slices.ContainsFunc(f.Basic, func(s BasicSelector) bool {
		right := s.ReadWriteType == "" || s.ReadWriteType == "All" || (s.ReadWriteType == "ReadOnly") == e.ReadOnly
		return s.management() && right && !slices.Contains(s.ExcludeManagementEventSources, e.EventSource)
	})
}

func (f FieldSelector) fits(e *fields) bool {
	v := e.value(f.Field)
	some := func(list []string, test func(v, with string) bool) bool {
		return slices.ContainsFunc(list, func(with string) bool { return test(v, with) })
	}
	equal := func(v, with string) bool { return v == with }
	if some(f.NotEquals, equal) || some(f.NotStartsWith, strings.HasPrefix) || some(f.NotEndsWith, strings.HasSuffix) {
		return false
	}
	return len(f.Equals)+len(f.StartsWith)+len(f.EndsWith) == 0 ||
		some(f.Equals, equal) || some(f.StartsWith, strings.HasPrefix) || some(f.EndsWith, strings.HasSuffix)
}

func (e *fields) value(field string) string {
	switch field {
	case "eventCategory":
		return "Management"
	case "eventName":
		return e.EventName
	case "eventSource":
		return e.EventSource
	case "eventType":
		return e.EventType
	case "readOnly":
		return fmt.Sprint(e.ReadOnly)
	case "userIdentity.arn":
		return e.UserIdentity.ARN
	}
	return e.Console
}
