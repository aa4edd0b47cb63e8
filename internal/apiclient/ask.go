package apiclient

import (
	"context"
	"encoding/json"
	"fmt"

	"sallyport/internal/awsapi"
	trailapi "sallyport/internal/awsapi/cloudtrail"
	directoryapi "sallyport/internal/awsapi/identitystore"
	api "sallyport/internal/awsapi/sallyport"
	adminapi "sallyport/internal/awsapi/ssoadmin"
)

// services are those that can be asked.
var services = []*awsapi.Service{&api.Info, &trailapi.Info, &directoryapi.Info, &adminapi.Info}

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

// eachPage calls a list page by page. take is given each, and returns the token of the next.
func eachPage[Out any](ctx context.Context, c *Client, in func(next *string) any, take func(out *Out, raw json.RawMessage) (*string, error)) error {
	for next := (*string)(nil); ; {
		out, raw, err := Ask[Out](ctx, c, in(next))
		if err != nil {
			return err
		}
		if next, err = take(out, raw); err != nil || next == nil {
			return err
		}
	}
}

// Pages calls a list to its last page.
func Pages[Out, T any](ctx context.Context, c *Client, in func(next *string) any, part func(*Out) ([]T, *string)) (rows []T, err error) {
	err = eachPage(ctx, c, in, func(out *Out, _ json.RawMessage) (*string, error) {
		some, token := part(out)
		rows = append(rows, some...)
		return token, nil
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// AskAll is Pages with the answer: raw has the rows of all pages as one, under the name that the API gives them.
func AskAll[Out, T any](ctx context.Context, c *Client, member string, in func(next *string) any, part func(*Out) ([]T, *string)) (rows []T, raw json.RawMessage, err error) {
	all := []json.RawMessage{}
	err = eachPage(ctx, c, in, func(out *Out, answer json.RawMessage) (*string, error) {
		var fields map[string]json.RawMessage
		var some []json.RawMessage
		if err := json.Unmarshal(answer, &fields); err != nil {
			return nil, fmt.Errorf("read answer: %w", err)
		}
		if err := json.Unmarshal(fields[member], &some); err != nil {
			return nil, fmt.Errorf("read %s of answer: %w", member, err)
		}
		page, token := part(out)
		rows, all = append(rows, page...), append(all, some...)
		return token, nil
	})
	if err != nil {
		return nil, nil, err
	}
	raw, err = json.Marshal(map[string][]json.RawMessage{member: all})
	return rows, raw, err
}
