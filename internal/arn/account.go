package arn

import "sallyport/internal/fault"

// AccountID is a 12-digit account number.
type AccountID string

// ParseAccountID reads a 12-digit account number.
func ParseAccountID(s string) (AccountID, error) {
	if len(s) != 12 {
		return "", fault.Invalidf("%q is not an account id: expected 12 digits", clip(s))
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return "", fault.Invalidf("%q is not an account id: expected 12 digits", clip(s))
		}
	}
	return AccountID(s), nil
}

// RootARN is the ARN by which policies name the account itself.
func (a AccountID) RootARN() string {
	return ARN{Partition, "iam", "", string(a), "root"}.String()
}

// UserARN is the ARN of an IAM user of the account; path starts and ends with a slash.
func (a AccountID) UserARN(path, name string) string {
	return ARN{Partition, "iam", "", string(a), "user" + path + name}.String()
}

// RoleARN is the ARN of an IAM role of the account; path starts and ends with a slash.
func (a AccountID) RoleARN(path, name string) string {
	return ARN{Partition, "iam", "", string(a), "role" + path + name}.String()
}

// PolicyARN is the ARN of a customer managed policy of the account. path begins and ends with a slash.
func (a AccountID) PolicyARN(path, name string) string {
	return ARN{Partition, "iam", "", string(a), "policy" + path + name}.String()
}

// AssumedRoleARN is the ARN of a session of a role. STS leaves the role's path out.
func (a AccountID) AssumedRoleARN(role, session string) string {
	return ARN{Partition, "sts", "", string(a), "assumed-role/" + role + "/" + session}.String()
}
