// Reads answers of a SCIM server as scimmy does, which holds them against its own schemas: prints a line for each that it refuses, and for
// each member that it does not know or reads otherwise.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(process.argv[2] + "/"));
const SCIMMY = (await import(pathToFileURL(require.resolve("scimmy")))).default;
SCIMMY.Schemas.User.extend(SCIMMY.Schemas.EnterpriseUser, false);

const copy = (v) => JSON.parse(JSON.stringify(v));
const enterprise = SCIMMY.Schemas.EnterpriseUser.definition.id;

// lost are the places of what is in one and not, or otherwise, in the other.
const lost = (ours, theirs, at = "") => {
	if (ours === null || typeof ours !== "object") return JSON.stringify(ours) === JSON.stringify(theirs) ? [] : [at];
	return Object.entries(ours).flatMap(([k, v]) => (Array.isArray(v) && v.length === 0 ? [] : lost(v, theirs?.[k], `${at}/${k}`)));
};

const readers = {
	User: (body) => copy(new SCIMMY.Schemas.User(copy(body), "both", "/Users")),
	Group: (body) => copy(new SCIMMY.Schemas.Group(copy(body), "both", "/Groups")),
	ServiceProviderConfig: (body) => copy(new SCIMMY.Schemas.ServiceProviderConfig(copy(body), "both", "/ServiceProviderConfig")),
	ResourceType: (body) => copy(new SCIMMY.Schemas.ResourceType(copy(body), "both", "/ResourceTypes")),
	ListResponse: (body) => copy(new SCIMMY.Messages.ListResponse(copy(body))),
	// An error of a server is thrown anew; without its schema it is looked at, and its status and its type must go together.
	Error: (body) => {
		try {
			new SCIMMY.Messages.ErrorResponse(copy(body));
		} catch (e) {
			if (!(e instanceof SCIMMY.Types.Error)) throw e;
			return { ...copy(new SCIMMY.Messages.ErrorResponse({ ...copy(body), schemas: [] })) };
		}
		throw new Error("it is not known for an error");
	},
	// Every attribute that we say we have is one of scimmy's, of the same type and number.
	Schema: (body) => {
		const known = { User: SCIMMY.Schemas.User, Group: SCIMMY.Schemas.Group, EnterpriseUser: SCIMMY.Schemas.EnterpriseUser }[body.name].definition;
		for (const a of body.attributes) {
			const theirs = known.attribute(a.name);
			if (theirs.type !== a.type || theirs.config.multiValued !== a.multiValued) throw new Error(`${a.name} is ${theirs.type}, many: ${theirs.config.multiValued}`);
			for (const s of a.subAttributes ?? []) {
				const part = known.attribute(`${a.name}.${s.name}`);
				if (part.type !== s.type) throw new Error(`${a.name}.${s.name} is ${part.type}`);
			}
		}
		return body;
	},
};

let text = "";
for await (const chunk of process.stdin) text += chunk;
for (const { kind, what, body } of JSON.parse(text)) {
	try {
		const read = readers[kind](body);
		for (const place of lost(body, read)) console.log(`${what}: ${place} is lost`);
	} catch (e) {
		console.log(`${what}: ${e.message ?? e}`);
	}
}
console.log("read");
