package access

import (
	"net/netip"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// maxBlocks bounds a list of addresses; ours, since the model has no bound.
const maxBlocks = 100

// SetNetwork says from where an instance's directory may be called, in place of what was said before; nil: from everywhere.
func SetNetwork(tx *store.Tx, i store.Instance, n *store.Network) error {
	if n != nil {
		for _, list := range [][]string{n.API, n.SCIM} {
			if len(list) > maxBlocks {
				return fault.Invalidf("A list of addresses can have at most %d blocks.", maxBlocks)
			}
			for _, text := range list {
				if _, err := netip.ParsePrefix(text); err != nil {
					return fault.Invalidf("%q is not a CIDR block: expected an address and a length, such as 192.0.2.0/24.", text)
				}
			}
		}
	}
	i.Network = n
	return wrap(tx.UpdateInstance(i), "update instance")
}

// MayCallFrom refuses calls of an instance's directory from addresses that are not on its list.
func MayCallFrom(i store.Instance, ip string) error {
	if i.Network == nil || len(i.Network.API) == 0 {
		return nil
	}
	from, err := netip.ParseAddr(ip)
	for _, text := range i.Network.API { // at most maxBlocks
		block, bad := netip.ParsePrefix(text)
		if err == nil && bad == nil && block.Contains(from.Unmap().WithZone("")) {
			return nil
		}
	}
	return fault.Deniedf("The identity store %s cannot be called from the address %s. UpdateIdentityStore says from where it can.", i.StoreID, ip)
}
