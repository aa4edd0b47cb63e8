// Record requests signed by the AWS SDK for JavaScript v3: see README.md.
import { readFileSync } from "node:fs";
import { Sha256 } from "@aws-crypto/sha256-js";
import { IdentitystoreClient, ListUsersCommand } from "@aws-sdk/client-identitystore";
import { CreatePermissionSetCommand, ListInstancesCommand, SSOAdminClient } from "@aws-sdk/client-sso-admin";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { SignatureV4 } from "@smithy/signature-v4";

const key = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const token = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTfl==";
const cases = [];

function record(name, service, region, sessionToken, request) {
  const query = Object.entries(request.query ?? {})
    .map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(v)}`)
    .join("&");
  const port = request.port ? `:${request.port}` : "";
  cases.push({
    name,
    service,
    region,
    access_key_id: key.accessKeyId,
    secret_access_key: key.secretAccessKey,
    session_token: sessionToken ?? "",
    method: request.method,
    url: `${request.protocol}//${request.hostname}${port}${request.path}${query && "?" + query}`,
    // Agents are not recorded where they are not signed: they name the machine.
    headers: Object.entries(request.headers).filter(([k]) => k !== "user-agent" && k !== "host"),
    body: Buffer.from(request.body ?? "").toString("utf8"),
  });
}

// A client's last step before the wire: keep the request, answer nothing.
function recorder(name, service, region, sessionToken) {
  return {
    handle: async (request) => {
      record(name, service, region, sessionToken, request);
      throw new Error("recorded");
    },
  };
}

async function fromClients(sessionToken) {
  const region = "eu-west-1";
  const calls = [
    [SSOAdminClient, "sso", new ListInstancesCommand({})],
    [SSOAdminClient, "sso", new CreatePermissionSetCommand({ InstanceArn: "arn:aws:sso:::instance/ssoins-1234567890abcdef", Name: "a", Description: "é & = +" })],
    [IdentitystoreClient, "identitystore", new ListUsersCommand({ IdentityStoreId: "d-1234567890" })],
    [STSClient, "sts", new GetCallerIdentityCommand({})],
    [STSClient, "sts", new AssumeRoleCommand({ RoleArn: "arn:aws:iam::111122223333:role/a", RoleSessionName: "s" })],
  ];
  for (const [Client, service, command] of calls) {
    const client = new Client({
      region,
      endpoint: "http://127.0.0.1:8080",
      credentials: { ...key, sessionToken },
      maxAttempts: 1,
      requestHandler: recorder(command.constructor.name, service, region, sessionToken),
    });
    await client.send(command).catch((e) => {
      if (e.message !== "recorded") throw e;
    });
  }
}

async function fromSigner(sessionToken) {
  const signer = new SignatureV4({ credentials: { ...key, sessionToken }, region: "local-1", service: "sts", sha256: Sha256 });
  const request = (path, query) => ({
    method: "GET",
    protocol: "http:",
    hostname: "id.example.org",
    port: 8443,
    path,
    query,
    headers: { host: "id.example.org:8443", "x-k8s-aws-id": "cluster  one" },
  });
  for (const [path, query] of [
    ["/", { Action: "GetCallerIdentity", Version: "2011-06-15" }],
    ["/a%20b//./c/../d/", { "x y": "a+b/c=~" }],
  ]) {
    record("signer header", "sts", "local-1", sessionToken, await signer.sign(request(path, query)));
    record("signer query", "sts", "local-1", sessionToken, await signer.presign(request(path, query), { expiresIn: 900, unhoistableHeaders: new Set(["x-k8s-aws-id"]) }));
  }
}

for (const t of [undefined, token]) {
  await fromClients(t);
  await fromSigner(t);
}
const { version } = JSON.parse(readFileSync("node_modules/@aws-sdk/client-sts/package.json"));
console.log(JSON.stringify({ made_by: `AWS SDK for JavaScript ${version}`, cases }, null, 1));
