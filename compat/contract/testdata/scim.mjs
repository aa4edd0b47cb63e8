// What other implementations of SCIM make of filters and PATCHes: cases come in as JSON, and answers go out in the same order.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(process.argv[2] + "/"));
const { parse, filter } = require("scim2-parse-filter");
const { scimPatch } = require("scim-patch");
const SCIMMY = (await import(pathToFileURL(require.resolve("scimmy")))).default;

const attempt = (f) => {
	try {
		return { value: f() };
	} catch (e) {
		return { error: String(e.message ?? e) };
	}
};
const copy = (v) => JSON.parse(JSON.stringify(v));

// scimmy's filters want what they compare to look like its own resources: names as its schema spells them.
const filters = (cases) => cases.map(({ filter: text, resource }) => ({
	"scim2-parse-filter": attempt(() => filter(parse(text))(copy(resource))),
	scimmy: attempt(() => new SCIMMY.Types.Filter(text).match([copy(resource)]).length === 1),
}));

SCIMMY.Schemas.User.extend(SCIMMY.Schemas.EnterpriseUser, false);
const schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
const patches = async (cases) => {
	const out = [];
	for (const { resource, operations } of cases) {
		const answer = { "scim-patch": attempt(() => scimPatch(copy(resource), copy(operations))) };
		try {
			const patch = new SCIMMY.Messages.PatchOp({ schemas, Operations: copy(operations) });
			const user = new SCIMMY.Schemas.User({ id: "1", ...copy(resource) });
			const done = await patch.apply(user, (r) => r);
			answer.scimmy = { value: copy(done ?? user) };
		} catch (e) {
			answer.scimmy = { error: String(e.message ?? e) };
		}
		out.push(answer);
	}
	return out;
};

let text = "";
for await (const chunk of process.stdin) text += chunk;
const asked = JSON.parse(text);
console.log(JSON.stringify({ filters: filters(asked.filters ?? []), patches: await patches(asked.patches ?? []) }));
