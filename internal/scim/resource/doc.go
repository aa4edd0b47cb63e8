// Package resource is what SCIM's resources are (RFC 7643), and what can be done with them by their names: read from a client's JSON,
// chosen by filters, changed by the operations of a PATCH, shown in part, put in order (RFC 7644). One table of attributes says it all,
// also the documents of /Schemas. Nothing here knows of records, databases or HTTP.
//
// A resource is a tree: map[string]any with the names as the table spells them, strings, bools, json.Number, []any. The attributes of
// an extension are in a tree of their own below its URN.
package resource
