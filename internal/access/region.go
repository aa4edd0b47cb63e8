package access

import (
	"slices"
	"strings"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/quota"
	"sallyport/internal/store"
)

// regionDelay is how long a region is on its way. They are recorded state: what is behind them is one and the same server.
const regionDelay = 2 * time.Second

// RegionStatus is how far a region has come.
type RegionStatus string

// The states of a region.
const (
	RegionActive   RegionStatus = "ACTIVE"
	RegionAdding   RegionStatus = "ADDING"
	RegionRemoving RegionStatus = "REMOVING"
)

// RegionState is a region of an instance as it is now.
type RegionState struct {
	Name    string
	Status  RegionStatus
	AddedAt time.Time
	Primary bool
}

// Regions are an instance's regions by name, its own among them.
func Regions(i store.Instance, now time.Time) []RegionState {
	all := []RegionState{{i.Region, RegionActive, i.CreatedAt, true}}
	for _, r := range i.Regions {
		ready := !now.Before(r.ReadyAt)
		switch {
		case r.Removing && ready:
		case r.Removing:
			all = append(all, RegionState{r.Name, RegionRemoving, r.AddedAt, false})
		case ready:
			all = append(all, RegionState{r.Name, RegionActive, r.AddedAt, false})
		default:
			all = append(all, RegionState{r.Name, RegionAdding, r.AddedAt, false})
		}
	}
	slices.SortFunc(all, func(a, b RegionState) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Region is one region of an instance.
func Region(i store.Instance, name string, now time.Time) (RegionState, error) {
	for _, r := range Regions(i, now) {
		if r.Name == name {
			return r, nil
		}
	}
	return RegionState{}, fault.Missing("Region", name)
}

// AddRegion begins to extend an instance to a region.
func AddRegion(tx *store.Tx, i store.Instance, name string, limits quota.Limits) error {
	if i.OfAccount {
		return fault.Invalidf("The instance %s is an account instance, which stays in its one region.", i.ID)
	}
	all := Regions(i, tx.Now())
	for _, r := range all {
		if r.Name == name {
			return fault.Conflictf("The instance is in the region %s already; its status there is %s.", name, r.Status)
		}
	}
	if err := noRegionWork(all); err != nil {
		return err
	}
	if limits.Exceeds(quota.Regions, len(all)+1) { // the instance's own among them
		return limits.Reached(quota.Regions)
	}
	i.Regions = append(present(i, all), store.Region{Name: name, AddedAt: tx.Now(), ReadyAt: tx.Now().Add(regionDelay)})
	return wrap(tx.UpdateInstance(i), "update instance")
}

// RemoveRegion begins to take an instance out of a region.
func RemoveRegion(tx *store.Tx, i store.Instance, name string) error {
	all := Regions(i, tx.Now())
	n := slices.IndexFunc(all, func(r RegionState) bool { return r.Name == name })
	switch {
	case n < 0:
		return fault.Missing("Region", name)
	case all[n].Primary:
		return fault.Conflictf("%s is the primary region of the instance and cannot be removed.", name)
	}
	if err := noRegionWork(all); err != nil {
		return err
	}
	i.Regions = present(i, all)
	for n := range i.Regions {
		if i.Regions[n].Name == name {
			i.Regions[n].Removing, i.Regions[n].ReadyAt = true, tx.Now().Add(regionDelay)
		}
	}
	return wrap(tx.UpdateInstance(i), "update instance")
}

// noRegionWork refuses a second piece of work beside one that goes on.
func noRegionWork(all []RegionState) error {
	for _, r := range all {
		if r.Status != RegionActive {
			return fault.Conflictf("The region %s is %s. Wait until that is done.", r.Name, r.Status)
		}
	}
	return nil
}

// present are the rows of the regions that are there still.
func present(i store.Instance, all []RegionState) (rows []store.Region) {
	for _, r := range i.Regions {
		if slices.ContainsFunc(all, func(s RegionState) bool { return s.Name == r.Name }) {
			rows = append(rows, r)
		}
	}
	return rows
}
