package awsapi

import (
	"reflect"
	"strings"
)

// ResourceARNs are the ARNs that the operation is authorized for: the templates of the table, filled from the input and, for
// names like Account, from vars. A list gives an ARN for each element, and |id takes what follows an ARN's last slash.
// A bare ${Member} that is absent falls away; inside an ARN it is *, as nothing narrower was named. Nothing left means *.
func (o *OperationMeta) ResourceARNs(in any, vars map[string]string) []string {
	var out []string
	for _, template := range o.Resources {
		out = append(out, o.expand(template, reflect.ValueOf(in).Elem(), vars)...)
	}
	if len(out) == 0 {
		return []string{"*"}
	}
	return out
}

// expand fills one template. What a request gave is never read as a template itself.
func (o *OperationMeta) expand(template string, in reflect.Value, vars map[string]string) []string {
	before, rest, found := strings.Cut(template, "${")
	if !found {
		return []string{template}
	}
	name, after, _ := strings.Cut(rest, "}")
	values := o.fillings(name, in, vars)
	if len(values) == 0 {
		if before == "" && after == "" {
			return nil
		}
		values = []string{"*"}
	}
	var out []string
	for _, v := range values {
		if isARN(v) {
			out = append(out, v)
			continue
		}
		for _, tail := range o.expand(after, in, vars) {
			if !isARN(tail) {
				tail = before + v + tail
			}
			out = append(out, tail)
		}
	}
	return out
}

// fillings are the values of a placeholder.
func (o *OperationMeta) fillings(name string, in reflect.Value, vars map[string]string) []string {
	if v, ok := vars[name]; ok {
		return []string{v}
	}
	name, id := strings.CutSuffix(name, "|id")
	values := member(o.In, in, name)
	for i, v := range values {
		if id {
			values[i] = v[strings.LastIndexByte(v, '/')+1:]
		}
	}
	return values
}

// isARN: an ARN where an identifier was expected is the resource itself, whatever the template has around it.
func isARN(value string) bool { return strings.HasPrefix(value, "arn:") }

// member is the value of a scalar member, or the values of a list. name may lead into structures: MemberId.UserId.
func member(s *Shape, v reflect.Value, name string) []string {
	first, rest, nested := strings.Cut(name, ".")
	for i := range s.Members {
		m := &s.Members[i]
		if m.Name != first {
			continue
		}
		f, ok := present(m, v.Field(i))
		switch {
		case !ok:
			return nil
		case nested:
			return member(m.Shape, f, rest)
		case m.Shape.Type == List:
			out := make([]string, f.Len())
			for i := range out {
				out[i] = scalarText(m.Shape.Elem, f.Index(i))
			}
			return out
		}
		return []string{scalarText(m.Shape, f)}
	}
	return nil
}
