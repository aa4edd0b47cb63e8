package scim

import (
	"sallyport/internal/directory"
	"sallyport/internal/store"
)

// checkExternalID refuses, in AWS's dialect, what AWS's pattern does not have (case S12). None is always good.
func (c *call) checkExternalID(id string) error {
	if id == "" || c.token.Dialect != store.StrictSCIM {
		return nil
	}
	return directory.CheckExternalID(id)
}
