package access_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/policy"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

const whyAccount arn.AccountID = "111122223333"

const (
	readsFiles = `{"Version": "2012-10-17", "Statement": {"Sid": "Reads", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}`
	noFiles    = `{"Version": "2012-10-17", "Statement": {"Sid": "None", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}}`
	itsTeam    = `{"Version": "2012-10-17", "Statement": {"Sid": "Team", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/team": "blue"}}}}`
)

// asked is a world in which one thing after the other changes, a second apart, and that is asked about each of those seconds.
type asked struct {
	t     *testing.T
	db    *store.DB
	clock *clocktest.Clock
	in    store.Instance
	set   store.PermissionSet
	user  store.User
	role  *store.Role
	now   []string // what was said when it was now
	times []time.Time
}

func newAsked(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) *asked {
	t.Helper()
	c := clocktest.At(time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC))
	in := store.Instance{ID: pastInstance, StoreID: pastStore, Owner: "999988887777", Region: "us-east-1"}
	return &asked{
		t: t, db: open(t, c), clock: c, in: in,
		set:  store.PermissionSet{PermissionSet: arn.PermissionSet{Instance: in.ID, ID: "ps-1111111111111111"}, Name: "Files", Revision: 1},
		user: store.User{ID: "u", StoreID: pastStore, UserName: "ana", Status: store.UserEnabled},
	}
}

// step changes something, and keeps what is said of now.
func (w *asked) step(what string, change func(tx *store.Tx) error) {
	w.t.Helper()
	w.clock.Advance(time.Second)
	err := w.db.Update(w.t.Context(), func(tx *store.Tx) error {
		tx.Because(store.Cause{Event: what, By: "me"})
		return change(tx)
	})
	if err != nil {
		w.t.Fatalf("%s: %v", what, err)
	}
	w.times = append(w.times, w.db.Now())
	w.now = append(w.now, w.said(time.Time{}))
}

func (w *asked) assignment() store.Assignment {
	return store.Assignment{Account: whyAccount, Set: w.set.PermissionSet, PrincipalType: store.PrincipalGroup, PrincipalID: "g", State: store.AssignmentGranted}
}

// provision makes the permission set what the inline policy and the customer managed one say, "" being none.
func (w *asked) provision(inline, customer string) func(tx *store.Tx) error {
	return func(tx *store.Tx) (err error) {
		spec := store.RoleSpec{}
		if spec.Inline, err = tx.PutDocument(inline); err != nil {
			return err
		}
		if customer != "" {
			spec.Customer = []string{whyAccount.PolicyARN("/", customer)}
		}
		r := store.Role{Account: whyAccount, Name: "AWSReservedSSO_Files", ID: "AROAFILES", Path: "/", Set: w.set.PermissionSet, Revision: 1, Spec: spec, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
		write := tx.UpdateRole
		if w.role == nil {
			write = tx.InsertRole
		}
		w.role = &r
		return errors.Join(write(r), tx.PutProvisioned(store.Provisioned{Account: r.Account, Set: r.Set, Name: r.Name, Path: r.Path, Revision: 1, Spec: spec, At: tx.Now()}))
	}
}

func (w *asked) customer(text string) func(tx *store.Tx) error {
	return func(tx *store.Tx) error {
		hash, err := tx.PutDocument(text)
		if err != nil {
			return err
		}
		return tx.PutAccountPolicy(store.AccountPolicy{Account: whyAccount, Path: "/", Name: "Extra", Document: hash, UpdatedAt: tx.Now()})
	}
}

func (w *asked) status(s store.UserStatus) func(tx *store.Tx) error {
	return func(tx *store.Tx) error {
		w.user.Status = s
		return tx.UpdateUser(w.user)
	}
}

// layers are the inline policy and those of the account, as package endpoint has them.
func (w *asked) layers(tx *store.Tx) func(r store.Role) policy.Layers {
	return func(r store.Role) (l policy.Layers) {
		add := func(name, hash string) {
			text, err := tx.Document(hash)
			if err != nil {
				w.t.Fatal(err)
			}
			p, err := policy.Load([]byte(text))
			if err != nil {
				w.t.Fatal(err)
			}
			l.Identity = append(l.Identity, policy.Named{Name: name, Policy: p})
		}
		add("inline", r.Spec.Inline)
		for _, a := range r.Spec.Customer {
			if p, err := tx.AccountPolicy(whyAccount, "Extra"); err == nil {
				add(a, p.Document)
			}
		}
		return l
	}
}

// said is the answer, in short, about a time; the zero one is now.
func (w *asked) said(at time.Time) (out string) {
	w.t.Helper()
	err := w.db.View(w.t.Context(), func(tx *store.Tx) error {
		then := at
		if at.IsZero() {
			then = tx.Now()
		}
		u, err := access.UserThen(tx, pastStore, "u", "", then)
		if err != nil {
			return err
		}
		q := access.Question{User: u, SessionName: u.Name, Account: whyAccount, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Context: map[string][]string{}, At: at}
		answers, err := access.Explain(tx, w.in, q, w.layers(tx))
		if err != nil {
			return err
		}
		for _, a := range answers {
			out += fmt.Sprintln(a.Name, a.Decision.Allowed, a.Decision.Sid, a.Paths[0].Since().Event, a.Asked, a.NotKnown)
		}
		if len(answers) == 0 {
			near, err := access.Nearest(tx, w.in, q)
			out += strings.Join(near, " ")
			return err
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

// live is the story of the world.
func (w *asked) live() {
	w.step("made", func(tx *store.Tx) error {
		w.user.CreatedAt = tx.Now()
		return errors.Join(
			tx.InsertAccount(store.Account{ID: whyAccount, Status: store.AccountActive, CreatedAt: tx.Now()}), tx.InsertUser(w.user),
			tx.InsertGroup(store.Group{ID: "g", StoreID: pastStore, DisplayName: "Ops", Trail: store.Trail{CreatedAt: tx.Now()}}), tx.InsertPermissionSet(w.set))
	})
	w.step("granted", func(tx *store.Tx) error {
		a := w.assignment()
		a.CreatedAt = tx.Now()
		return errors.Join(tx.InsertAssignment(a), w.provision(readsFiles, "")(tx))
	})
	w.step("joined", func(tx *store.Tx) error {
		return tx.InsertMemberships([]store.Membership{{ID: "m", StoreID: pastStore, GroupID: "g", UserID: "u", CreatedAt: tx.Now(), CreatedBy: "me"}})
	})
	w.step("edited", w.provision(noFiles, ""))
	w.step("tagged", w.provision(itsTeam, ""))
	w.step("closed", func(tx *store.Tx) error { return tx.SetAccountStatus(whyAccount, store.AccountSuspended) })
	w.step("reopened", func(tx *store.Tx) error { return tx.SetAccountStatus(whyAccount, store.AccountActive) })
	w.step("customer's", w.customer(readsFiles))
	w.step("attached", w.provision(itsTeam, "Extra"))
	w.step("rewritten", w.customer(noFiles))
	w.step("disabled", w.status(store.UserDisabled))
	w.step("enabled", w.status(store.UserEnabled))
	w.step("left", func(tx *store.Tx) error { return tx.DeleteMembers("g", []string{"u"}) })
	w.step("gone", func(tx *store.Tx) error {
		return errors.Join(tx.DeleteAssignment(w.assignment()), tx.DeleteProvisioned(whyAccount, w.set.PermissionSet), tx.DeleteRole(whyAccount, w.role.Name),
			tx.DeletePermissionSet(w.set.PermissionSet), tx.DeleteGroup("g"))
	})
}

// TestExplainOfThen: what is said of a time is what was said when it was now, in the words of a time, but for what is not kept; that is named.
func TestExplainOfThen(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		w := newAsked(t, open)
		w.live()
		second := func(n int) string { return w.times[n].Format(time.RFC3339) }
		until := fmt.Sprintf("The user had Files by group Ops until %s, which ended by event left of me.", second(12))
		want := []string{
			"", "", "Files true Reads joined [] []", "Files false None joined [] []", "Files false  joined [aws:principaltag/team] []",
			fmt.Sprintf("The account was closed, to everybody, since %s, by event closed of me.", second(5)),
			"Files false  joined [aws:principaltag/team] []", "Files false  joined [aws:principaltag/team] []", "Files true Reads joined [aws:principaltag/team] []",
			"Files false None joined [] []", fmt.Sprintf("The user was disabled since %s.", second(10)), "Files false None joined [] []", until, until,
		}
		if d := cmp.Diff(want, tenseless(w.now)); d != "" {
			t.Errorf("when it was now (-want +got):\n%s", d)
		}
		want[8] = "Files false  joined [aws:principaltag/team] [How arn:aws:iam::111122223333:policy/Extra read then is not kept.]"
		var then []string
		for _, at := range w.times {
			then = append(then, w.said(at))
		}
		if d := cmp.Diff(want, then); d != "" {
			t.Errorf("of then (-want +got):\n%s", d)
		}
		w.forget(w.times[11].Add(time.Microsecond)) // the user's name and state of then too
		err := w.db.View(t.Context(), func(tx *store.Tx) error {
			_, err := access.UserThen(tx, pastStore, "u", "", w.times[2])
			return err
		})
		if err == nil || !strings.HasSuffix(err.Error(), "What ended before "+second(11)+" is not kept.") {
			t.Errorf("who is forgotten: %v", err)
		}
	})
}

// tenseless is what is said of now as it would be of a time.
func tenseless(now []string) (out []string) {
	for _, s := range now {
		out = append(out, strings.NewReplacer("account is", "account was", "user is", "user was").Replace(s))
	}
	return out
}

func (w *asked) forget(before time.Time) {
	w.t.Helper()
	err := w.db.Update(w.t.Context(), func(tx *store.Tx) error { _, err := tx.PruneHistory(before, 100); return err })
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestExplainWithGaps: where the account's state or the role of then is forgotten, and the path is not, the answer says so.
func TestExplainWithGaps(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		w := newAsked(t, open)
		w.stand()
		if got, want := w.said(w.times[0]), "Files true Reads made [] []"; got != want {
			t.Errorf("while all is known: %q, want %q", got, want)
		}
		w.forget(w.times[2].Add(time.Microsecond))
		if got, want := w.said(w.times[0]), "Files true Reads made [] [Whether account 111122223333 was open then is not kept.]"; got != want {
			t.Errorf("when nobody knows whether it was open: %q, want %q", got, want)
		}
		w.forget(w.times[3].Add(time.Microsecond))
		if got, want := w.said(w.times[0]), "Files false  made [] [What the permission set was in the account then is not kept.]"; got != want {
			t.Errorf("when nobody knows the role: %q, want %q", got, want)
		}
		err := w.db.View(t.Context(), func(tx *store.Tx) error {
			for keep, want := range map[time.Duration]time.Time{time.Hour: w.times[3].Add(time.Microsecond), time.Second: tx.Now().Add(-time.Second)} {
				if got, err := access.Forgotten(tx, w.times[0], keep); err != nil || !got.Equal(want) {
					t.Errorf("kept for %s: forgotten before %s, want %s, %v", keep, got, want, err)
				}
			}
			got, err := access.Forgotten(tx, tx.Now(), time.Second)
			if !got.IsZero() {
				t.Errorf("of now something is forgotten: %s", got)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// stand is a story in which a path stands all along.
func (w *asked) stand() {
	w.step("made", func(tx *store.Tx) error {
		w.user.CreatedAt = tx.Now()
		a := w.assignment()
		a.PrincipalType, a.PrincipalID, a.CreatedAt = store.PrincipalUser, "u", tx.Now()
		return errors.Join(tx.InsertAccount(store.Account{ID: whyAccount, Status: store.AccountActive, CreatedAt: tx.Now()}), tx.InsertUser(w.user),
			tx.InsertPermissionSet(w.set), tx.InsertAssignment(a), w.provision(readsFiles, "")(tx))
	})
	w.step("closed", func(tx *store.Tx) error { return tx.SetAccountStatus(whyAccount, store.AccountSuspended) })
	w.step("reopened", func(tx *store.Tx) error { return tx.SetAccountStatus(whyAccount, store.AccountActive) })
	w.step("edited", w.provision(noFiles, ""))
	w.step("later", func(*store.Tx) error { return nil })
	w.clock.Advance(time.Minute)
}
