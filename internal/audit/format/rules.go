package format

// rules say what an event is, by its source and its name.
var rules = map[string]map[string]rule{
	"signin.amazonaws.com": {
		"CredentialChallenge":    {authentication, 6, 0, caller},
		"CredentialVerification": {authentication, 6, 0, caller},
		"UserAuthentication":     {authentication, 1, 0, caller},
	},
	"sso.amazonaws.com": {
		"Authenticate": {authentication, 1, 0, caller},
		"Logout":       {authentication, 2, 0, caller},

		"CreateAccountAssignment":     {userAccess, 1, 0, grantee},
		"DeleteAccountAssignment":     {userAccess, 2, 0, grantee},
		"CreateApplicationAssignment": {userAccess, 1, 0, grantee},
		"DeleteApplicationAssignment": {userAccess, 2, 0, grantee},

		// A permission set becomes a role in each account: its policies are attached to what OCSF calls a user/role.
		"AttachManagedPolicyToPermissionSet":                    {accountChange, 7, 0, permission},
		"AttachCustomerManagedPolicyReferenceToPermissionSet":   {accountChange, 7, 0, permission},
		"PutInlinePolicyToPermissionSet":                        {accountChange, 7, 0, permission},
		"DetachManagedPolicyFromPermissionSet":                  {accountChange, 8, 0, permission},
		"DetachCustomerManagedPolicyReferenceFromPermissionSet": {accountChange, 8, 0, permission},
		"DeleteInlinePolicyFromPermissionSet":                   {accountChange, 8, 0, permission},

		"PutPermissionsBoundaryToPermissionSet":      {apiActivity, 3, medium, permission},
		"DeletePermissionsBoundaryFromPermissionSet": {apiActivity, 4, high, permission},
		"CreateInstance":           {apiActivity, 1, medium, nil},
		"DeleteInstance":           {apiActivity, 4, high, nil},
		"CreateTrustedTokenIssuer": {apiActivity, 1, medium, nil},
		"UpdateTrustedTokenIssuer": {apiActivity, 3, medium, nil},
	},
	"identitystore.amazonaws.com": {
		"CreateUser":            {accountChange, 1, 0, person},
		"UpdateUser":            {accountChange, other, 0, person},
		"DeleteUser":            {accountChange, 6, 0, person},
		"CreateGroup":           {groupChange, 6, 0, group},
		"UpdateGroup":           {groupChange, other, 0, group},
		"DeleteGroup":           {groupChange, 5, 0, group},
		"CreateGroupMembership": {groupChange, 3, 0, group},
		"DeleteGroupMembership": {groupChange, 4, 0, group},
	},
	"identitystore-scim.amazonaws.com": {
		"CreateUser":            {accountChange, 1, 0, provided},
		"PutUser":               {accountChange, other, 0, provided},
		"PatchUser":             {accountChange, other, 0, provided},
		"DeleteUser":            {accountChange, 6, 0, provided},
		"CreateGroup":           {groupChange, 6, 0, provided},
		"PutGroup":              {groupChange, other, 0, provided},
		"PatchGroup":            {groupChange, other, 0, provided},
		"DeleteGroup":           {groupChange, 5, 0, provided},
		"AddMemberToGroup":      {groupChange, 3, 0, group},
		"RemoveMemberFromGroup": {groupChange, 4, 0, group},
	},
	"sso-directory.amazonaws.com": {
		"UpdatePassword":                       {accountChange, 3, 0, self},
		"SendPasswordReset":                    {accountChange, 4, 0, self},
		"CompleteVirtualMfaDeviceRegistration": {accountChange, 10, 0, self},
		"CompleteWebAuthnDeviceRegistration":   {accountChange, 10, 0, self},
		"UpdateMfaDeviceForUser":               {accountChange, other, 0, self},
		"DeleteMfaDeviceForUser":               {accountChange, 11, 0, self},
	},
	"sallyport": {
		"EnableUser":            {accountChange, 2, 0, person},
		"DisableUser":           {accountChange, 5, 0, person},
		"UnlockUser":            {accountChange, 12, 0, person},
		"ResetUserPassword":     {accountChange, 4, 0, person},
		"CreateOneTimePassword": {accountChange, 4, medium, person},
		"InviteUser":            {accountChange, 4, 0, person},
		"DeleteMfaDevice":       {accountChange, 11, 0, person},
		"DeleteMyMfaDevice":     {accountChange, 11, 0, self},

		"CreateFirstAdministrator": {accountChange, 1, high, person},
		"RecoverOperator":          {apiActivity, other, high, nil},
		"RestoreDatabase":          {apiActivity, other, high, nil},
		"CreateOperatorKey":        {apiActivity, 1, medium, nil},
		"CreateScimToken":          {apiActivity, 1, medium, nil},
		"PutSetting":               {apiActivity, 3, medium, nil},
		"ResetSetting":             {apiActivity, 3, medium, nil},
		"ScimGuardTripped":         {apiActivity, other, high, nil},
		"DriftDetected":            {apiActivity, other, medium, nil},
	},
}
