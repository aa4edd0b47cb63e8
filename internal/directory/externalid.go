package directory

import (
	"slices"
	"strings"
	"unicode/utf8"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// CheckExternalID is what AWS demands of a new external id (the model's ExternalIdIdentifier: letters, marks, symbols, numbers and
// punctuation, so colons and slashes too, but no spaces). The directory itself keeps any text, since sources have such ids (case S12).
func CheckExternalID(id string) error {
	if id == "" || utf8.RuneCountInString(id) > maxExternalID || !allRunes(id, false) {
		return fault.Invalidf("ExternalIds must have 1 to %d letters, marks, symbols, numbers and punctuation.", maxExternalID)
	}
	return nil
}

// CheckNewExternalIDs is CheckExternalID for those that were not there.
func CheckNewExternalIDs(was, now []store.ExternalID) error {
	for _, e := range now { // at most ten
		if slices.Contains(was, e) {
			continue
		}
		if err := CheckExternalID(e.ID); err != nil {
			return err
		}
	}
	return nil
}

func checkExternalIDs(ids []store.ExternalID) error {
	for _, e := range ids {
		if utf8.RuneCountInString(e.ID) > maxExternalID || !utf8.ValidString(e.ID) || strings.ContainsRune(e.ID, 0) {
			return fault.Invalidf("ExternalIds must have at most %d characters, and not U+0000.", maxExternalID)
		}
	}
	return checkTexts(issuerTexts(ids))
}

func issuerTexts(ids []store.ExternalID) []text {
	var out []text
	for _, e := range ids {
		out = append(out, text{"ExternalIds", e.Issuer, maxExternalID})
	}
	return out
}
