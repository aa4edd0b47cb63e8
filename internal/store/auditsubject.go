package store

// read takes the members of a request, an answer or an event's details. Those of the portal and of our own events have other names.
func (s *subject) read(c *scanner) {
	c.members(func(key string) {
		switch key {
		case "permissionSetArn":
			s.permissionSet = c.text()
		case "permissionSet": // of answers
			c.members(func(key string) {
				if key == "permissionSetArn" {
					s.permissionSet = c.text()
				}
			})
		case "applicationArn":
			s.application = c.text()
		case "trustedTokenIssuerArn":
			s.tokenIssuer = c.text()
		default:
			s.readPrincipal(c, key)
		}
	})
}

func (s *subject) readPrincipal(c *scanner, key string) {
	switch key {
	case "userId", "user_id":
		s.user = c.text()
	case "memberId":
		s.readMember(c)
	case "groupId":
		s.group = c.text()
	case "membershipId":
		s.membership = c.text()
	case "principalType":
		s.principalType = c.text()
	case "principalId":
		s.principal = c.text()
	case "targetType":
		s.targetType = c.text()
	case "targetId":
		s.target = c.text()
	case "accountId", "account_id":
		s.account = c.text()
	}
}

// readMember reads a member of a group: an id, or a union of which users are all there is.
func (s *subject) readMember(c *scanner) {
	if c.peek() == '"' {
		s.member = c.text()
		return
	}
	c.members(func(key string) {
		if key == "userId" {
			s.member = c.text()
		}
	})
}

// tell adds what is named, by the types of CloudFormation and of the events themselves.
func (s *subject) tell(f *Facts) {
	f.about("AWS::SSO::PermissionSet", s.permissionSet)
	f.about("AWS::SSO::Application", s.application)
	f.about("AWS::SSO::TrustedTokenIssuer", s.tokenIssuer)
	f.about(typeUser, s.user)
	f.about(typeUser, s.member)
	f.about(typeGroup, s.group)
	f.about("AWS::IdentityStore::GroupMembership", s.membership)
	if s.principalType == "GROUP" {
		f.about(typeGroup, s.principal)
	} else {
		f.about(typeUser, s.principal)
	}
	if s.targetType == "AWS_ACCOUNT" {
		f.about(typeAccount, s.target)
	}
	f.about(typeAccount, s.account)
}

const (
	typeUser    = "AWS::IdentityStore::User"
	typeGroup   = "AWS::IdentityStore::Group"
	typeAccount = "AWS::Organizations::Account"
)
