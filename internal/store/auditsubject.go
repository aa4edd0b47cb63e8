package store

import "sallyport/internal/skim"

// read takes the members of a request, an answer or an event's details. Those of the portal and of our own events have other names.
func (s *subject) read(c *skim.Scanner) {
	c.Members(func(key string) {
		switch key {
		case "permissionSetArn":
			s.permissionSet = c.Text()
		case "permissionSet": // of answers
			c.Members(func(key string) {
				if key == "permissionSetArn" {
					s.permissionSet = c.Text()
				}
			})
		case "applicationArn":
			s.application = c.Text()
		case "trustedTokenIssuerArn":
			s.tokenIssuer = c.Text()
		default:
			s.readPrincipal(c, key)
		}
	})
}

func (s *subject) readPrincipal(c *skim.Scanner, key string) {
	switch key {
	case "userId", "user_id":
		s.user = c.Text()
	case "memberId":
		s.readMember(c)
	case "groupId":
		s.group = c.Text()
	case "membershipId":
		s.membership = c.Text()
	case "principalType":
		s.principalType = c.Text()
	case "principalId":
		s.principal = c.Text()
	case "targetType":
		s.targetType = c.Text()
	case "targetId":
		s.target = c.Text()
	case "accountId", "account_id":
		s.account = c.Text()
	}
}

// readMember reads a member of a group: an id, or a union of which users are all there is.
func (s *subject) readMember(c *skim.Scanner) {
	if c.IsText() {
		s.member = c.Text()
		return
	}
	c.Members(func(key string) {
		if key == "userId" {
			s.member = c.Text()
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
