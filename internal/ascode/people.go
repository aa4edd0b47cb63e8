package ascode

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"sallyport/internal/apiclient"
	directoryapi "sallyport/internal/awsapi/identitystore"
	adminapi "sallyport/internal/awsapi/ssoadmin"
)

// writable are the members of a user that may be written, by identitystore's names.
var writable = []string{
	"Addresses", "Birthdate", "DisplayName", "Emails", "Extensions", "ExternalIds", "Locale", "Name", "NickName", "PhoneNumbers", "Photos",
	"PreferredLanguage", "ProfileUrl", "Roles", "Timezone", "Title", "UserName", "UserType", "Website",
}

// readPeople reads users and groups, and who is in which.
func (r *Reader) readPeople(ctx context.Context, l *Live) error {
	if err := r.readUsers(ctx, l); err != nil {
		return err
	}
	groups, err := apiclient.Pages(ctx, r.Client,
		func(next *string) any {
			return &directoryapi.ListGroupsRequest{IdentityStoreId: l.Store, NextToken: next}
		},
		func(out *directoryapi.ListGroupsResponse) ([]directoryapi.Group, *string) {
			return out.Groups, out.NextToken
		})
	if err != nil {
		return err
	}
	l.Groups = make([]Group, len(groups))
	var mu sync.Mutex
	indexes := make([]int, len(groups))
	for i, g := range groups {
		indexes[i] = i
		name := deref(g.DisplayName)
		l.names[g.GroupId], l.ids[principal{adminapi.PrincipalTypeGroup, fold(name)}] = name, g.GroupId
		l.Groups[i] = Group{DisplayName: name, Description: deref(g.Description)}
		if r.KeepIDs {
			l.Groups[i].SourceID = g.GroupId
		}
		for _, e := range g.ExternalIds {
			l.Groups[i].ExternalIDs = append(l.Groups[i].ExternalIDs, ExternalID{e.Issuer, e.Id})
		}
	}
	return each(ctx, r, "members of groups", indexes, func(ctx context.Context, i int) error {
		members, err := r.members(ctx, l, groups[i].GroupId)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		ids := map[string]string{}
		l.Groups[i].Members = []string{}
		for id, membership := range members {
			name := l.nameOf(id)
			ids[fold(name)] = membership
			l.Groups[i].Members = append(l.Groups[i].Members, name)
		}
		l.memberships[fold(l.Groups[i].DisplayName)] = ids
		return nil
	})
}

// members are the ids of a group's memberships, by their users' ids.
func (r *Reader) members(ctx context.Context, l *Live, group string) (map[string]string, error) {
	rows, err := apiclient.Pages(ctx, r.Client,
		func(next *string) any {
			return &directoryapi.ListGroupMembershipsRequest{IdentityStoreId: l.Store, GroupId: group, NextToken: next}
		},
		func(out *directoryapi.ListGroupMembershipsResponse) ([]directoryapi.GroupMembership, *string) {
			return out.GroupMemberships, out.NextToken
		})
	out := map[string]string{}
	for _, m := range rows {
		if m.MemberId != nil && m.MemberId.UserId != nil {
			out[*m.MemberId.UserId] = deref(m.MembershipId)
		}
	}
	return out, err
}

// readUsers reads everybody: names are what a document knows people by.
func (r *Reader) readUsers(ctx context.Context, l *Live) error {
	for next := (*string)(nil); ; {
		out, raw, err := apiclient.Ask[directoryapi.ListUsersResponse](ctx, r.Client, r.listUsers(l, next))
		if err != nil {
			return err
		}
		for _, u := range out.Users {
			name := deref(u.UserName)
			l.names[u.UserId], l.ids[principal{adminapi.PrincipalTypeUser, fold(name)}] = name, u.UserId
		}
		if r.WithUsers {
			users, err := usersOf(raw)
			if err != nil {
				return err
			}
			for i := range users {
				if !r.KeepIDs {
					delete(users[i], sourceID)
				}
			}
			l.Users = append(l.Users, users...)
		}
		r.progress("users", len(l.names), 0)
		if next = out.NextToken; next == nil {
			return nil
		}
	}
}

func (r *Reader) listUsers(l *Live, next *string) *directoryapi.ListUsersRequest {
	in := &directoryapi.ListUsersRequest{IdentityStoreId: l.Store, NextToken: next}
	if r.WithUsers {
		in.Extensions = []string{enterprise}
	}
	return in
}

// usersOf are the users of an answer, with what may be written.
func usersOf(answer []byte) ([]User, error) {
	var all struct{ Users []map[string]any }
	if err := json.Unmarshal(answer, &all); err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	users := make([]User, len(all.Users))
	for i, u := range all.Users {
		users[i] = User{}
		for _, k := range writable {
			if v, ok := u[k]; ok && v != nil {
				users[i][k] = v
			}
		}
		if id, ok := u["UserId"]; ok {
			users[i][sourceID] = id
		}
	}
	return users, nil
}

// sourceID is the key of a user's id where the document was read. It is never written.
const sourceID = "SourceId"

// lowerFirst is a member's name as attribute paths have it.
func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }
