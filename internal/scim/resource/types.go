package resource

// The types of resources, in AWS's dialect and in the complete one.
var (
	StrictUser  = newUser(false)
	StrictGroup = newGroup(false)
	User        = newUser(true)
	Group       = newGroup(true)
)

func text(name, about string) *Attribute { return &Attribute{Name: name, About: about} }

func texts(pairs ...string) (out []*Attribute) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, text(pairs[i], pairs[i+1]))
	}
	return out
}

// typed is a list of values with a type and one that is preferred. AWS's dialect has no display, but clients send it.
func typed(complete bool, name, about string, canonical ...string) *Attribute {
	display := text("display", "The value as people read it.")
	display.Unsaid = !complete
	if name == "photos" {
		display.About = "What is seen on it."
	}
	kind := text("type", "What it is used for.")
	kind.Canonical = canonical
	value := text("value", "The value.")
	if name == "photos" {
		value.Kind, value.References, value.Exact = Reference, []string{"external"}, true
	}
	return &Attribute{Name: name, About: about, Kind: Complex, Many: true, Parts: []*Attribute{
		value, kind, {Name: "primary", About: "Whether it is the preferred one.", Kind: Boolean}, display,
	}}
}

// lists are the multi-valued attributes of users, of which AWS's dialect has one value each.
func lists(complete bool) []*Attribute {
	about := func(strict, ours string) string {
		if complete {
			return ours
		}
		return strict
	}
	address := &Attribute{Name: "addresses", About: about("The postal address: at most one.", "Up to ten postal addresses."), Kind: Complex, Many: true, Parts: append(texts(
		"formatted", "The whole address.", "streetAddress", "Street and house.", "locality", "City.", "region", "State or region.",
		"postalCode", "Postal code.", "country", "Country.", "type", "What it is used for.",
	), &Attribute{Name: "primary", About: "Whether it is the preferred one.", Kind: Boolean})}
	photos := typed(complete, "photos", "Up to three addresses of pictures.", "photo", "thumbnail")
	photos.Foreign = !complete
	return []*Attribute{
		typed(complete, "emails", about("The mail address: at most one, and primary.", "Up to ten mail addresses; the primary one is unique."), "work", "home", "other"),
		typed(complete, "phoneNumbers", about("The phone number: at most one.", "Up to ten phone numbers.")),
		address,
		typed(complete, "roles", about("The role: at most one.", "Up to ten roles.")),
		photos,
		{Name: "groups", About: "The groups of the user; written at the groups.", Kind: Complex, Many: true, Mutability: ReadOnly, Returned: OnRequest, Unsaid: !complete, Parts: []*Attribute{
			{Name: "value", About: "The id of the group.", Mutability: ReadOnly},
			{Name: "$ref", About: "The address of the group.", Kind: Reference, References: []string{"Group"}, Mutability: ReadOnly},
			{Name: "display", About: "The name of the group.", Mutability: ReadOnly},
			{Name: "type", About: "Always direct.", Canonical: []string{"direct"}, Mutability: ReadOnly},
		}},
	}
}

func newUser(complete bool) *Type {
	name := &Attribute{Name: "name", About: "The parts of the user's name.", Kind: Complex, Required: !complete, Parts: texts(
		"formatted", "The whole name.", "familyName", "The last name.", "givenName", "The first name.", "middleName", "The middle name.",
		"honorificPrefix", "Such as Ms.", "honorificSuffix", "Such as III.",
	)}
	name.Parts[1].Required, name.Parts[2].Required = !complete, !complete
	core := append([]*Attribute{
		{Name: "userName", About: "The name by which the user signs in, unique without regard to case.", Required: true, Unique: true},
		name,
		{Name: "displayName", About: "The name that is shown.", Required: !complete},
		text("nickName", "A casual name."),
		{Name: "profileUrl", About: "The address of a page about the user.", Kind: Reference, References: []string{"external"}},
	}, texts("title", "Such as Vice President.", "userType", "Such as Contractor.", "preferredLanguage", "Such as en_US.", "locale", "Such as en-US.", "timezone", "Such as Europe/Berlin.")...)
	core = append(core, &Attribute{Name: "active", About: "Whether the user may sign in.", Kind: Boolean})
	core = append(core, lists(complete)...)
	for _, n := range []string{"ims", "entitlements", "x509Certificates", "password"} {
		core = append(core, &Attribute{Name: n, Foreign: true})
	}
	enterprise := append(texts("employeeNumber", "The number of the employee.", "costCenter", "The cost center.", "organization", "The organization.",
		"division", "The division.", "department", "The department."),
		&Attribute{Name: "manager", About: "The user's manager.", Kind: Complex, Parts: []*Attribute{
			text("value", "The id of the manager."),
			{Name: "$ref", About: "The address of the manager.", Kind: Reference, References: []string{"User"}},
			{Name: "displayName", Unsaid: true},
		}})
	return prepared(&Type{
		Name: "User", Endpoint: "/Users", About: "User Account", Tolerant: complete,
		Core:      &Schema{URN: UserURN, Name: "User", About: "User Account", Attributes: core},
		Extension: &Schema{URN: EnterpriseURN, Name: "EnterpriseUser", About: "Enterprise User", Attributes: enterprise},
	})
}

func newGroup(complete bool) *Type {
	return prepared(&Type{
		Name: "Group", Endpoint: "/Groups", About: "Group", Tolerant: complete,
		Core: &Schema{URN: GroupURN, Name: "Group", About: "Group", Attributes: []*Attribute{
			{Name: "displayName", About: "The name of the group, unique without regard to case.", Required: true, Unique: true},
			{Name: "members", About: "The users of the group.", Kind: Complex, Many: true, Parts: []*Attribute{
				{Name: "value", About: "The id of a user.", Mutability: Immutable},
				{Name: "$ref", About: "The address of the user.", Kind: Reference, References: []string{"User"}, Mutability: Immutable},
				{Name: "type", About: "User.", Canonical: []string{"User"}, Mutability: Immutable},
				{Name: "display", About: "The name of the user.", Mutability: ReadOnly, Unsaid: !complete},
			}},
		}},
	})
}
