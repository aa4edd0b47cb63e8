package arn

// RoleName is the name of the role that a permission set becomes in an account: at most 64 characters,
// which is why a permission set's name has at most 32 (case S25).
func RoleName(set, suffix string) string { return "AWSReservedSSO_" + set + "_" + suffix }

// RolePath is the path of provisioned roles. The home region is left out when it is us-east-1 (case S25).
func RolePath(region string) string {
	if region == "us-east-1" {
		return "/aws-reserved/sso.amazonaws.com/"
	}
	return "/aws-reserved/sso.amazonaws.com/" + region + "/"
}
