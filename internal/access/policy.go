package access

import (
	"slices"

	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/policy/managed"
	"sallyport/internal/quota"
	"sallyport/internal/store"
)

// AttachCustomerPolicy refers a permission set to a customer managed policy. Whether an account has it shows when the
// permission set is provisioned there (case S19).
func AttachCustomerPolicy(tx *store.Tx, p store.PermissionSet, ref store.CustomerPolicy, limits quota.Limits) error {
	i, attached := slices.BinarySearchFunc(p.Customer, ref, store.CustomerPolicy.Compare)
	if attached {
		return fault.Conflictf("Customer managed policy %s is already attached to permission set %s.", ref.Path+ref.Name, p.Name)
	}
	others, _, err := tx.AttachedPolicies(p.PermissionSet, page.Query{Limit: quota.Most(quota.PoliciesPerSet)})
	if err != nil {
		return wrap(err, "list attached policies")
	}
	if limits.Exceeds(quota.PoliciesPerSet, len(others)+len(p.Customer)+1) {
		return limits.Reached(quota.PoliciesPerSet)
	}
	p.Customer = slices.Insert(p.Customer, i, ref)
	return edited(tx, p)
}

// DetachCustomerPolicy takes such a reference back.
func DetachCustomerPolicy(tx *store.Tx, p store.PermissionSet, ref store.CustomerPolicy) error {
	i, attached := slices.BinarySearchFunc(p.Customer, ref, store.CustomerPolicy.Compare)
	if !attached {
		return &fault.Error{
			Kind: fault.NotFound, Resource: "CustomerManagedPolicyReference", ID: ref.Path + ref.Name,
			Message: "Customer managed policy " + ref.Path + ref.Name + " is not attached to permission set " + p.Name + ".",
		}
	}
	p.Customer = slices.Delete(p.Customer, i, i+1)
	return edited(tx, p)
}

// PutBoundary gives a permission set its one permissions boundary.
func PutBoundary(tx *store.Tx, p store.PermissionSet, b store.Boundary) error {
	if (b.Managed == "") == (b.Customer == nil) {
		return fault.Invalidf("A permissions boundary is either a ManagedPolicyArn or a CustomerManagedPolicyReference.")
	}
	if _, ok := managed.Lookup(b.Managed); b.Customer == nil && !ok {
		return noSuchPolicy(b.Managed)
	}
	p.Boundary = &b
	return edited(tx, p)
}

// DeleteBoundary takes the permissions boundary off a permission set.
func DeleteBoundary(tx *store.Tx, p store.PermissionSet) error {
	if p.Boundary == nil {
		return fault.Missing("PermissionsBoundary", p.ARN())
	}
	p.Boundary = nil
	return edited(tx, p)
}
