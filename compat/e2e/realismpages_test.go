package e2e

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/credentials"
)

// pagesRows are about lists in pages, tags, and what is the same for all operations.
var pagesRows = []behaviour{
	{
		what: "30 users in pages of 7: how many are listed, and how many twice", aws: "all, 0 twice",
		source: "API Reference, ListUsers", run: everybodyOnce,
	},
	{
		what: "a page of 0 permission sets", aws: "ValidationException",
		source: "model, MaxResults", run: func(w *realm) string { return w.call("ListPermissionSets", with{"MaxResults": 0}).code() },
	},
	{
		what: "a page of 101 permission sets", aws: "ValidationException",
		source: "model, MaxResults", run: func(w *realm) string { return w.call("ListPermissionSets", with{"MaxResults": 101}).code() },
	},
	{
		what: "a page token that was made up, in sso-admin", aws: "ValidationException",
		source: "API Reference, ListPermissionSets", run: func(w *realm) string {
			return w.call("ListPermissionSets", with{"NextToken": "bWFkZSB1cA=="}).code()
		},
	},
	{
		what: "a page token that was made up, in identitystore", aws: "ValidationException",
		source: "API Reference, ListUsers", run: func(w *realm) string { return w.call("ListUsers", with{"NextToken": "bWFkZSB1cA=="}).code() },
	},
	{
		what: "the page token of another list",
		ours: "ValidationException",
		run: func(w *realm) string {
			w.user()
			w.user()
			w.group()
			token := w.must("ListUsers", with{"MaxResults": 1}).at("NextToken")
			return w.call("ListGroups", with{"NextToken": token}).code()
		},
	},
}

// everybodyOnce pages through all users, of whom thirty are new.
func everybodyOnce(w *realm) string {
	missing := map[string]bool{}
	for range 30 {
		missing[w.user()] = true
	}
	seen, twice := map[string]bool{}, 0
	for token := any(nil); ; {
		page := w.must("ListUsers", with{"MaxResults": 7, "NextToken": token})
		for _, user := range page.list("Users") {
			id := user.(map[string]any)["UserId"].(string)
			if seen[id] {
				twice++
			}
			seen[id] = true
			delete(missing, id)
		}
		if token = page.at("NextToken"); token == "" {
			break
		}
	}
	if len(missing) > 0 {
		return fmt.Sprintf("%d missing, %d twice", len(missing), twice)
	}
	return fmt.Sprintf("all, %d twice", twice)
}

// tagsRows are about tags.
var tagsRows = []behaviour{
	{
		what: "tags given at CreatePermissionSet are listed", aws: "team=red",
		source: "API Reference, CreatePermissionSet", run: func(w *realm) string { return w.tags(w.tagged("team=red")) },
	},
	{
		what: "TagResource with a key that is there", aws: "team=blue",
		source: "API Reference, TagResource", run: func(w *realm) string {
			set := w.tagged("team=red")
			w.must("TagResource", with{"ResourceArn": set, "Tags": tags("team=blue")})
			return w.tags(set)
		},
	},
	{
		what: "TagResource with a key of another case", aws: "Team=blue team=red",
		source: "AWS Tagging Guide: keys are case-sensitive", run: func(w *realm) string {
			set := w.tagged("team=red")
			w.must("TagResource", with{"ResourceArn": set, "Tags": tags("Team=blue")})
			return w.tags(set)
		},
	},
	{
		what: "the tags left by UntagResource", aws: "none",
		source: "API Reference, UntagResource", run: func(w *realm) string {
			set := w.tagged("team=red")
			w.must("UntagResource", with{"ResourceArn": set, "TagKeys": []string{"team"}})
			return w.tags(set)
		},
	},
	{
		what: "51 tags, one by one", aws: "50, then ServiceQuotaExceededException",
		source: "AWS Tagging Guide: 50 of a resource; API Reference, TagResource", run: func(w *realm) string {
			set := w.set()
			return until(55, func(i int) answer {
				return w.call("TagResource", with{"ResourceArn": set, "Tags": tags(fmt.Sprintf("k%d=v", i))})
			})
		},
	},
	{
		what: "a tag whose key begins with `aws:`", aws: "refused",
		source: "AWS Tagging Guide: the prefix is reserved", run: func(w *realm) string {
			return w.call("TagResource", with{"ResourceArn": w.set(), "Tags": tags("aws:team=red")}).refused()
		},
	},
	{
		what: "a tag's value of 257 characters", aws: "ValidationException",
		source: "model, TagValue", run: func(w *realm) string {
			return w.call("TagResource", with{"ResourceArn": w.set(), "Tags": tags("k=" + strings.Repeat("v", 257))}).code()
		},
	},
	{
		what: "the tags of a permission set that is not there", aws: "ResourceNotFoundException",
		source: "API Reference, ListTagsForResource", run: func(w *realm) string {
			return w.call("ListTagsForResource", with{"ResourceArn": noSet}).code()
		},
	},
}

// tags are some of the form key=value.
func tags(pairs ...string) (list []with) {
	for _, pair := range pairs {
		key, value, _ := strings.Cut(pair, "=")
		list = append(list, with{"Key": key, "Value": value})
	}
	return list
}

// tagged makes a permission set with a tag.
func (w *realm) tagged(pair string) string {
	return w.must("CreatePermissionSet", with{"Name": w.name(), "Tags": tags(pair)}).at("PermissionSet.PermissionSetArn")
}

// tags are those of a permission set.
func (w *realm) tags(set string) string {
	var pairs []string
	for _, tag := range w.must("ListTagsForResource", with{"ResourceArn": set}).list("Tags") {
		pair := tag.(map[string]any)
		pairs = append(pairs, fmt.Sprintf("%s=%s", pair["Key"], pair["Value"]))
	}
	slices.Sort(pairs)
	return orNone(strings.Join(pairs, " "))
}

// wireRows are about every call.
var wireRows = []behaviour{
	{
		what: "the HTTP status of a ConflictException", aws: "400",
		source: "iam-identity-center-team #513; the model says 409", run: func(w *realm) string {
			in := with{"Name": w.name()}
			w.must("CreatePermissionSet", in)
			return status(w.call("CreatePermissionSet", in))
		},
	},
	{
		what: "the HTTP status of an error of identitystore", aws: "400",
		source: "terraform #27830; the model says 404", run: func(w *realm) string { return status(w.call("DescribeUser", with{"UserId": nobodysID})) },
	},
	{
		what: "a call signed with a wrong secret key", aws: "InvalidSignatureException",
		source: "API Reference, common errors", run: func(w *realm) string {
			keys, err := w.config.Credentials.Retrieve(w.ctx)
			if err != nil {
				return err.Error()
			}
			return w.as(keys.AccessKeyID, "not-the-secret").call("ListPermissionSets", nil).code()
		},
	},
	{
		what: "a call signed with an access key that nobody has", aws: "UnrecognizedClientException",
		source: "API Reference, common errors", run: func(w *realm) string {
			return w.as("AKIAIOSFODNN7EXAMPLE", "not-a-secret").call("ListPermissionSets", nil).code()
		},
	},
}

// as is the realm for somebody who has other keys.
func (w *realm) as(id, secret string) *realm {
	config := w.config
	config.Credentials = credentials.NewStaticCredentialsProvider(id, secret, "")
	other := *w
	other.dial(config)
	return &other
}

// status is the HTTP status of an answer that is an error.
func status(a answer) string {
	if a.err == nil {
		return a.code()
	}
	return fmt.Sprint(a.status)
}
