package doctor

import (
	"strings"
)

// environment looks at this shell's variables, by which the AWS CLI and SDKs find the server. Profiles in ~/.aws/config do as
// well, so that nothing here is worse than a warning.
func (d *Doctor) environment() {
	const prefix = "AWS_ENDPOINT_URL"
	base := d.URL.Scheme + "://" + d.URL.Host
	value := func(name string) string {
		v, _ := d.Lookup(name)
		return strings.TrimRight(v, "/")
	}
	var missing, other []string
	for _, s := range d.Services {
		switch v := value(prefix + "_" + s); v {
		case base:
		case "":
			missing = append(missing, prefix+"_"+s)
		default:
			other = append(other, prefix+"_"+s+"="+v)
		}
	}
	global := value(prefix)
	const todo = "Operators: eval \"$(sallyport env --data DIR)\". People: sallyport aws-config --portal URL --write, and name the profile."
	before := len(d.checks)
	if len(other) > 0 {
		d.add("environment", Warn, todo, "This shell sends some services elsewhere: %s.", strings.Join(other, ", "))
	}
	if len(missing) > 0 && global == "" {
		d.add("environment", Warn, todo, "This shell sends some services to AWS itself, unless a profile says otherwise; not set: %s.", strings.Join(missing, ", "))
	}
	d.global(global, base)
	if strings.EqualFold(value("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true") {
		d.add("environment", Warn, "Unset it.", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS makes clients ignore endpoints, from this shell and from profiles.")
	}
	if d.private && value("AWS_CA_BUNDLE") == "" {
		d.add("environment", Warn, "export AWS_CA_BUNDLE=FILE, with the file that was given as --ca.", "The AWS CLI does not know the certificate's authority.")
	}
	if len(d.checks) == before {
		d.add("environment", OK, "", "This shell's endpoint variables lead here.")
	}
}

// global looks at the one variable for all services.
func (d *Doctor) global(value, base string) {
	switch value {
	case "":
	case base:
		d.add("environment", Warn, "Set the variables of single services instead.", "AWS_ENDPOINT_URL sends every service here, S3 and all others too.")
	default:
		d.add("environment", Warn, "Unset it, or set the variables of single services.", "AWS_ENDPOINT_URL sends to %s what has no variable of its own.", value)
	}
}
