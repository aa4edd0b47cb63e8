package ascode

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
	adminapi "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/fault"
)

// atOnce is how many requests are under way at a time: fewer than AWS lets be outstanding.
const atOnce = 8

// Live is a configuration as it is, with what its names stand for.
type Live struct {
	Document
	Instance, Store string // ARN, and id

	sets, apps, issuers map[string]string            // ARNs by name
	ids                 map[principal]string         // of users and groups by name
	names               map[string]string            // by id, as they are written
	outdated            map[string]int               // by permission set: accounts that have an older edition of it
	provisioned         map[string]int               // by permission set: accounts
	rules               map[string]ruled             // of alerts by name; nil: there are none to be told
	memberships         map[string]map[string]string // by group's name: membership ids by folded user name
}

// Reader reads a deployment.
type Reader struct {
	Client *apiclient.Client
	// Source is where accounts, settings, permission sets and assignments come from: [Sallyport] or [AWS].
	Source Source
	// WithUsers reads people too, not only who is in groups.
	WithUsers bool
	// KeepIDs writes what users, groups and permission sets are called there by ids that will not be theirs elsewhere.
	KeepIDs bool
	// Progress is told what is being read, if it is set.
	Progress func(what string, done, of int)
}

// Source reads what Sallyport tells in few requests, and AWS in many.
type Source interface {
	accounts(ctx context.Context, r *Reader) ([]Account, error)
	settings(ctx context.Context, r *Reader) (map[string]string, error)
	sets(ctx context.Context, r *Reader, l *Live) ([]PermissionSet, error)
	assignments(ctx context.Context, r *Reader, l *Live) ([]assigned, error)
	alerts(ctx context.Context, r *Reader) ([]api.AlertRule, error)
}

// assigned is an account assignment by ids.
type assigned struct {
	set     string // name
	account string
	kind    adminapi.PrincipalType
	id      string
}

// Read reads all of it.
func (r *Reader) Read(ctx context.Context) (*Live, error) {
	l := &Live{
		sets: map[string]string{}, apps: map[string]string{}, issuers: map[string]string{}, ids: map[principal]string{}, names: map[string]string{},
		outdated: map[string]int{}, provisioned: map[string]int{}, memberships: map[string]map[string]string{},
	}
	l.Version = Version
	for _, read := range []func(context.Context, *Live) error{
		r.readInstance, r.readAccounts, r.readSettings, r.readPeople, r.readAttributes, r.readSets, r.readIssuers, r.readApplications, r.readAlerts,
	} {
		if err := read(ctx, l); err != nil {
			return nil, err
		}
	}
	var err error
	l.Document, err = normal(l.Document)
	return l, err
}

func (r *Reader) progress(what string, done, of int) {
	if r.Progress != nil {
		r.Progress(what, done, of)
	}
}

// each does something with many elements, a few at a time, and tells of its progress.
func each[T any](ctx context.Context, r *Reader, what string, all []T, do func(context.Context, T) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	var mu sync.Mutex
	done := 0
	for _, v := range all {
		g.Go(func() error {
			if err := do(ctx, v); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			r.progress(what, done, len(all))
			return nil
		})
	}
	return g.Wait()
}

func (r *Reader) readInstance(ctx context.Context, l *Live) error {
	instances, err := apiclient.Pages(ctx, r.Client,
		func(next *string) any { return &adminapi.ListInstancesRequest{NextToken: next} },
		func(out *adminapi.ListInstancesResponse) ([]adminapi.InstanceMetadata, *string) {
			return out.Instances, out.NextToken
		})
	if err != nil {
		return err
	}
	for _, i := range instances {
		if i.InstanceArn != nil && i.IdentityStoreId != nil {
			l.Instance, l.Store = *i.InstanceArn, *i.IdentityStoreId
			return nil
		}
	}
	return fault.Invalidf("The account of these credentials may not administer an instance there.")
}

func (r *Reader) readAccounts(ctx context.Context, l *Live) (err error) {
	l.Accounts, err = r.Source.accounts(ctx, r)
	return err
}

func (r *Reader) readSettings(ctx context.Context, l *Live) (err error) {
	l.Settings, err = r.Source.settings(ctx, r)
	return err
}

func (r *Reader) readAttributes(ctx context.Context, l *Live) error {
	l.AccessControlAttributes = map[string]string{}
	out, _, err := apiclient.Ask[adminapi.DescribeInstanceAccessControlAttributeConfigurationResponse](ctx, r.Client,
		&adminapi.DescribeInstanceAccessControlAttributeConfigurationRequest{InstanceArn: l.Instance})
	if apiclient.IsCode(err, "ResourceNotFoundException") {
		return nil
	}
	if err != nil {
		return err
	}
	if c := out.InstanceAccessControlAttributeConfiguration; c != nil {
		for _, a := range c.AccessControlAttributes {
			if len(a.Value.Source) > 0 {
				l.AccessControlAttributes[a.Key] = a.Value.Source[0]
			}
		}
	}
	return nil
}

func (r *Reader) readSets(ctx context.Context, l *Live) error {
	sets, err := r.Source.sets(ctx, r, l)
	if err != nil {
		return err
	}
	assignments, err := r.Source.assignments(ctx, r, l)
	if err != nil {
		return err
	}
	bySet := map[string]map[grant]string{}
	for _, a := range assignments {
		if bySet[a.set] == nil {
			bySet[a.set] = map[grant]string{}
		}
		name := l.nameOf(a.id)
		bySet[a.set][grant{a.account, principal{a.kind, fold(name)}}] = name
		l.ids[principal{a.kind, fold(name)}] = a.id
	}
	for i := range sets {
		sets[i].Assignments = grouped(bySet[sets[i].Name])
	}
	l.PermissionSets = append([]PermissionSet{}, sets...)
	return nil
}

// nameOf is the name of a user or group; of one that is gone, the id.
func (l *Live) nameOf(id string) string {
	if name, ok := l.names[id]; ok {
		return name
	}
	return id
}

// id is what a name of a document stands for.
func (l *Live) id(p principal) (string, error) {
	if id, ok := l.ids[principal{p.Type, fold(p.Name)}]; ok {
		return id, nil
	}
	return "", fault.Invalidf("There is no %s %s.", kindOf(p), p.Name)
}

func kindOf(p principal) string {
	if p.Type == adminapi.PrincipalTypeGroup {
		return "group"
	}
	return "user"
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func ptr(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
