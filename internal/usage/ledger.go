package usage

import (
	"time"

	"sallyport/internal/skim"
	"sallyport/internal/store"
)

// mark is in every record of a vending, and in few others.
var mark = []byte(`"access_key_id":"`)

// vended is what the record of a vending says (package vend).
type vended struct {
	errorCode, userID, account, set, accessKeyID string

	seconds int64 // 0: recorded before it was told
}

func readVended(json []byte) (v vended) {
	c := skim.New(json)
	c.Members(func(key string) {
		switch key {
		case "errorCode":
			v.errorCode = c.Text()
		case "userIdentity":
			c.Members(func(key string) {
				if key == "onBehalfOf" {
					c.Members(func(key string) {
						if key == "userId" {
							v.userID = c.Text()
						}
					})
				}
			})
		case "serviceEventDetails":
			c.Members(func(key string) { v.detail(c, key) })
		}
	})
	return v
}

func (v *vended) detail(c *skim.Scanner, key string) {
	switch key {
	case "account_id":
		v.account = c.Text()
	case "role_name":
		v.set = c.Text()
	case "access_key_id":
		v.accessKeyID = c.Text()
	case "duration_seconds":
		v.seconds = c.Int()
	}
}

// sums adds up what was issued, by user and by each of the paths that they had it by.
func sums(issues []store.Issue, by [][]store.UsageKey) (users, paths []store.Usage) {
	var perUser, perPath ledger
	for n, e := range issues {
		perUser.add(store.UsageKey{UserID: e.UserID, Account: e.Account, SetID: e.SetID}, e)
		if len(by[n]) == 0 {
			perPath.add(store.UsageKey{Account: e.Account, SetID: e.SetID}, e)
		}
		for _, k := range by[n] {
			perPath.add(k, e)
		}
	}
	return perUser.rows, perPath.rows
}

// ledger sums up by day and key, in the order in which they first came.
type ledger struct {
	rows []store.Usage
	at   map[entry]int
}

type entry struct {
	store.UsageKey
	day int64
}

func (l *ledger) add(k store.UsageKey, e store.Issue) {
	if l.at == nil {
		l.at = map[entry]int{}
	}
	day := store.DayOf(e.At)
	n, ok := l.at[entry{k, day}]
	if !ok {
		n = len(l.rows)
		l.at[entry{k, day}] = n
		l.rows = append(l.rows, store.Usage{UsageKey: k, Day: day})
	}
	u := &l.rows[n]
	u.Issued++
	u.Seconds += int64(e.For / time.Second)
	if e.At.After(u.Last) {
		u.Last = e.At
	}
}
