// Opens the form of the documentation on a page without a browser, and sends every route by it.
// Arguments: the script of the form, the document, the page's address. Prints the requests.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [script, document_, address] = process.argv.slice(2);

class Node {
  constructor(tag) {
    Object.assign(this, { tag, value: "", hidden: false, disabled: false, listeners: {}, children: [], attributes: {} });
  }
  setAttribute(name, value) { this.attributes[name] = value; if (name === "value") this.value = value; }
  append(...children) { this.children.push(...children); }
  replaceChildren(...children) { this.children = children; }
  addEventListener(name, listener) { this.listeners[name] = listener; }
  querySelector() { return new Node("button"); }
}

const nodes = {};
const sent = [];
globalThis.document = {
  getElementById: (id) => (nodes[id] ??= new Node(id)),
  createElement: (tag) => new Node(tag),
};
globalThis.location = new URL(address);
globalThis.fetch = async (url, { method, headers, body }) => {
  sent.push({ url, method, headers, body: body ?? null, curl: nodes["try-curl"].textContent });
  return { ok: true, status: 200, statusText: "OK", headers: [], text: async () => "{}" };
};

const spec = JSON.parse(readFileSync(document_, "utf8"));
const verbs = ["get", "post", "put", "patch", "delete"];
const operations = Object.entries(spec.paths).flatMap(([path, item]) =>
  verbs.filter((verb) => item[verb]).map((verb) => ({ verb, path, ...item[verb] })));

const { startTrying } = await import(pathToFileURL(script).href);
startTrying(operations);
nodes["try-key"].value = "the-key";
for (const option of nodes["try-route"].children) {
  nodes["try-route"].value = option.value;
  nodes["try-route"].listeners.change();
  nodes["try-form"].listeners.input();
  await nodes["try-form"].listeners.submit({ preventDefault() {}, submitter: new Node("button") });
}
console.log(JSON.stringify(sent));
