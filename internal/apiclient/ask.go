package apiclient

import (
	"context"
	"encoding/json"
	"fmt"

	"sallyport/internal/awsapi"
	directoryapi "sallyport/internal/awsapi/identitystore"
	api "sallyport/internal/awsapi/sallyport"
	adminapi "sallyport/internal/awsapi/ssoadmin"
)

// services are those that can be asked.
var services = []*awsapi.Service{&api.Info, &directoryapi.Info, &adminapi.Info}

// Ask calls the operation that Out is the answer of. raw is the answer as it came.
func Ask[Out any](ctx context.Context, c *Client, in any) (out *Out, raw json.RawMessage, err error) {
	for _, s := range services {
		for _, o := range s.Operations {
			if _, ok := o.NewOut().(*Out); !ok {
				continue
			}
			got, raw, err := c.Call(ctx, s, o, in)
			if err != nil {
				return nil, nil, err
			}
			return got.(*Out), raw, nil
		}
	}
	return nil, nil, fmt.Errorf("no operation answers with %T", out)
}

// AskAll calls a list to its last page. raw has the rows of all pages as one answer, under the name that the API gives them.
func AskAll[Out, T any](ctx context.Context, c *Client, member string, in func(next *string) any, part func(*Out) ([]T, *string)) (rows []T, raw json.RawMessage, err error) {
	all := []json.RawMessage{}
	for next := (*string)(nil); ; {
		out, answer, err := Ask[Out](ctx, c, in(next))
		if err != nil {
			return nil, nil, err
		}
		var fields map[string]json.RawMessage
		var some []json.RawMessage
		if err := json.Unmarshal(answer, &fields); err != nil {
			return nil, nil, fmt.Errorf("read answer: %w", err)
		}
		if err := json.Unmarshal(fields[member], &some); err != nil {
			return nil, nil, fmt.Errorf("read %s of answer: %w", member, err)
		}
		page, token := part(out)
		rows, all = append(rows, page...), append(all, some...)
		if next = token; next == nil {
			raw, err = json.Marshal(map[string][]json.RawMessage{member: all})
			return rows, raw, err
		}
	}
}
