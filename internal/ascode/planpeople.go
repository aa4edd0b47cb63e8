package ascode

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sallyport/internal/apiclient"
	directoryapi "sallyport/internal/awsapi/identitystore"
	api "sallyport/internal/awsapi/sallyport"
	adminapi "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/fault"
)

func (p *planner) settings() {
	for _, name := range sortedKeys(p.want.Settings) {
		from, known := p.live.Settings[name]
		to := p.want.Settings[name]
		if !known {
			p.faults = append(p.faults, fault.Invalidf("There is no setting %s: see `sallyport settings list`.", name))
			continue
		}
		if from == to {
			continue
		}
		p.add(Step{
			Action: Change, Kind: "setting", Name: name, Details: []string{from + " → " + to}, phase: ofSettings,
			still: func(ctx context.Context, a *apply) (bool, error) {
				out, _, err := apiclient.Ask[api.GetSettingResponse](ctx, a.reader.Client, &api.GetSettingRequest{Name: name})
				return err == nil && out.Setting.Value == from, err
			},
			do: func(ctx context.Context, a *apply) error {
				return ask[api.PutSettingResponse](ctx, a, &api.PutSettingRequest{Name: name, Value: to})
			},
		})
	}
}

func (p *planner) users() {
	if p.want.Users == nil {
		return
	}
	matched(p.live.Users, p.want.Users, func(u User) string { return fold(u.name()) }, p.changeUser, p.createUser, p.deleteUser)
}

// plain is the user without where they came from.
func (u User) plain() User {
	out := User{}
	for k, v := range u {
		if k != sourceID {
			out[k] = v
		}
	}
	return out
}

func (p *planner) createUser(u User) {
	who := principal{adminapi.PrincipalTypeUser, fold(u.name())}
	p.created[who] = true
	create := u.plain()
	external := create["ExternalIds"]
	delete(create, "ExternalIds")
	var in directoryapi.CreateUserRequest
	if err := into(create, &in); err != nil {
		p.faults = append(p.faults, fault.Invalidf("User %s: %v", u.name(), err))
		return
	}
	p.add(Step{Action: Create, Kind: "user", Name: u.name(), phase: ofUsers, do: func(ctx context.Context, a *apply) error {
		in.IdentityStoreId = a.live.Store
		out, _, err := apiclient.Ask[directoryapi.CreateUserResponse](ctx, a.reader.Client, &in)
		if err != nil {
			return err
		}
		a.made(who, out.UserId)
		if external == nil {
			return nil
		}
		return a.updateUser(ctx, out.UserId, User{"ExternalIds": external}, nil)
	}})
}

// into reads a map as the request that has its members.
func into(m map[string]any, request any) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(request); err != nil {
		return fault.Invalidf("%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

func (p *planner) changeUser(l, w User) {
	var d differences
	set := User{}
	for _, k := range sortedKeys(w.plain()) {
		if !slices.Contains(writable, k) {
			p.faults = append(p.faults, fault.Invalidf("User %s has %s, which users do not have.", w.name(), k))
		}
		if !same(l[k], w[k]) {
			set[k] = w[k]
			d.text(k, jsonText(l[k]), jsonText(w[k]))
		}
	}
	var removed []string
	for _, k := range sortedKeys(l.plain()) {
		if _, ok := w[k]; !ok {
			removed = append(removed, k)
			d.text(k, jsonText(l[k]), "")
		}
	}
	if len(d) == 0 {
		return
	}
	id := p.live.ids[principal{adminapi.PrincipalTypeUser, fold(l.name())}]
	p.add(Step{
		Action: Change, Kind: "user", Name: l.name(), Details: d, phase: ofUsers,
		still: func(ctx context.Context, a *apply) (bool, error) {
			_, raw, err := apiclient.Ask[directoryapi.DescribeUserResponse](ctx, a.reader.Client, &directoryapi.DescribeUserRequest{IdentityStoreId: a.live.Store, UserId: id, Extensions: []string{enterprise}})
			if err != nil {
				return false, err
			}
			now, err := usersOf([]byte(`{"Users":[` + string(raw) + `]}`))
			return err == nil && same(now[0].plain(), l.plain()), err
		},
		do: func(ctx context.Context, a *apply) error { return a.updateUser(ctx, id, set, removed) },
	})
}

func jsonText(v any) string {
	if s, ok := v.(string); ok || v == nil {
		return s
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}

func (a *apply) updateUser(ctx context.Context, id string, set User, removed []string) error {
	in := &directoryapi.UpdateUserRequest{IdentityStoreId: a.live.Store, UserId: id}
	for _, k := range sortedKeys(set) {
		if k == "Extensions" { // each by its own path
			extensions, _ := set[k].(map[string]any)
			for _, name := range sortedKeys(extensions) {
				value, err := json.Marshal(extensions[name])
				if err != nil {
					return err
				}
				in.Operations = append(in.Operations, directoryapi.AttributeOperation{AttributePath: name, AttributeValue: value})
			}
			continue
		}
		value, err := json.Marshal(set[k])
		if err != nil {
			return err
		}
		in.Operations = append(in.Operations, directoryapi.AttributeOperation{AttributePath: lowerFirst(k), AttributeValue: value})
	}
	for _, k := range removed {
		path := lowerFirst(k)
		if k == "Extensions" {
			path = enterprise
		}
		in.Operations = append(in.Operations, directoryapi.AttributeOperation{AttributePath: path})
	}
	return ask[directoryapi.UpdateUserResponse](ctx, a, in)
}

// enterprise is the one extension that users have.
const enterprise = "aws:identitystore:enterprise"

func (p *planner) deleteUser(u User) {
	who := principal{adminapi.PrincipalTypeUser, fold(u.name())}
	id := p.live.ids[who]
	p.deleted[who] = true
	p.add(Step{Action: Delete, Kind: "user", Name: u.name(), phase: ofDeletingUsers, do: func(ctx context.Context, a *apply) error {
		return ask[directoryapi.DeleteUserResponse](ctx, a, &directoryapi.DeleteUserRequest{IdentityStoreId: a.live.Store, UserId: id})
	}})
}
