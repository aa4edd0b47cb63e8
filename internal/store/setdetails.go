package store

// PermissionSetDetails is a permission set with everything that it is made of.
type PermissionSetDetails struct {
	PermissionSet
	Managed    []string // ARNs, sorted
	InlineText string   // "": none
	Tags       []Tag    // by key
}

// MaxDetails is how many permission sets Details takes.
const MaxDetails = 25

const (
	setPoliciesBetween query = `SELECT permission_set, arn FROM permission_set_policy WHERE permission_set BETWEEN $1 AND $2 ORDER BY permission_set, arn`
	tagsBetween        query = `SELECT resource, key, value FROM tag WHERE resource BETWEEN $1 AND $2 ORDER BY resource, key`
	documentsByHash    query = `SELECT hash, text FROM policy_document WHERE hash IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)`
)

// Details adds to permission sets of one instance what is kept beside them. They are sorted by id, with none left out between the
// first and the last, and at most MaxDetails.
func (tx *Tx) Details(sets []PermissionSet) ([]PermissionSetDetails, error) {
	if len(sets) == 0 {
		return nil, nil
	}
	out, byID, byARN := make([]PermissionSetDetails, len(sets)), map[string]*PermissionSetDetails{}, map[string]*PermissionSetDetails{}
	for i, p := range sets {
		out[i].PermissionSet = p
		byID[p.ID], byARN[p.ARN()] = &out[i], &out[i]
	}
	first, last := sets[0].PermissionSet, sets[len(sets)-1].PermissionSet
	_, err := list(tx, setPoliciesBetween, func(r row) (none struct{}, err error) {
		var id, policy string
		if err = r.Scan(&id, &policy); err == nil && byID[id] != nil {
			byID[id].Managed = append(byID[id].Managed, policy)
		}
		return none, err
	}, first.ID, last.ID)
	if err != nil {
		return nil, err
	}
	_, err = list(tx, tagsBetween, func(r row) (none struct{}, err error) {
		var resource string
		var t Tag
		if err = r.Scan(&resource, &t.Key, &t.Value); err == nil && byARN[resource] != nil {
			byARN[resource].Tags = append(byARN[resource].Tags, t)
		}
		return none, err
	}, first.ARN(), last.ARN())
	if err != nil {
		return nil, err
	}
	return out, tx.inlineTexts(out)
}

func (tx *Tx) inlineTexts(sets []PermissionSetDetails) error {
	hashes := make([]any, MaxDetails)
	for i := range hashes {
		hashes[i] = ""
	}
	for i, p := range sets {
		hashes[i] = p.Inline
	}
	texts := map[string]string{}
	_, err := list(tx, documentsByHash, func(r row) (none struct{}, err error) {
		var hash, text string
		if err = r.Scan(&hash, &text); err == nil {
			texts[hash] = text
		}
		return none, err
	}, hashes...)
	for i := range sets {
		sets[i].InlineText = texts[sets[i].Inline]
	}
	return err
}
