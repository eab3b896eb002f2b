// The official npm client, as a program that reads memberships with it would be written: list the groups, then ask for
// the members of each, eight at a time. It is the client alone, not a product: nothing is stored, nothing is kept for a
// next run.
//
//     node tests/peers/npm_client.mjs target/peers < hello.json
//
// stdin is the first line of `host-harness simulate`; stdout is one line of JSON. The client sends its token over https
// and to Graph's hosts only, so over plain http to 127.0.0.1 a middleware of this file puts the header in, and next
// links are handed to it as paths; nothing else of the client's own chain is touched, its retries included.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const VERSION = "3.0.7";
const WORKERS = 8;
const PAGE = 999;

const folder = resolve(process.argv[2] ?? "target/peers", "npm");
const require = createRequire(`${folder}/`);
const { version } = require("@microsoft/microsoft-graph-client/package.json");
if (version !== VERSION) throw new Error(`${folder} holds ${version}; install @microsoft/microsoft-graph-client@${VERSION}`);
const { Client, MiddlewareFactory, PageIterator } = require("@microsoft/microsoft-graph-client");

const hello = JSON.parse(readFileSync(0, "utf8").split("\n")[0]);
let requests = 0;

async function signIn() {
  const answer = await fetch(`${hello.origin}/${hello.tenantId}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: hello.clientId,
      client_secret: hello.clientSecret,
      scope: "https://graph.microsoft.com/.default",
    }),
  });
  if (!answer.ok) throw new Error(`signing in: ${answer.status} ${await answer.text()}`);
  return (await answer.json()).access_token;
}

/** Stands last but one: what passes here goes out, repetitions included. */
class Outgoing {
  constructor(token) {
    this.token = token;
  }
  async execute(context) {
    requests += 1;
    context.options.headers = { ...context.options.headers, Authorization: `Bearer ${this.token}` };
    await this.next.execute(context);
  }
  setNext(next) {
    this.next = next;
  }
}

async function each(client, request, callback) {
  const iterator = new PageIterator(client, await request.get(), (row) => {
    callback(row);
    return true;
  });
  await iterator.iterate();
}

async function run() {
  const token = await signIn();
  const chain = MiddlewareFactory.getDefaultMiddlewareChain({ getAccessToken: async () => token });
  chain.splice(-1, 0, new Outgoing(token));
  const client = Client.initWithMiddleware({ baseUrl: `${hello.origin}/`, defaultVersion: "v1.0", middleware: chain });

  // It tells a next link from a path by its https.
  const api = client.api.bind(client);
  client.api = (path) => api(path.replace(`${hello.origin}/v1.0`, ""));

  const groups = [];
  await each(client, client.api("/groups").select("id,displayName").top(PAGE), (group) => groups.push(group.id));
  let edges = 0;
  let at = 0;
  const worker = async () => {
    while (at < groups.length) {
      const group = groups[at++];
      await each(client, client.api(`/groups/${group}/members`).select("id").top(PAGE), () => (edges += 1));
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
  return { users: 0, groups: groups.length, edges };
}

const since = performance.now();
const before = process.cpuUsage();
const found = await run();
const cpu = process.cpuUsage(before);
console.log(
  JSON.stringify({
    peer: "@microsoft/microsoft-graph-client",
    version,
    requests,
    rows: found.users + found.groups + found.edges,
    ...found,
    wallSeconds: (performance.now() - since) / 1000,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    peakRssKiB: process.resourceUsage().maxRSS,
  }),
);
