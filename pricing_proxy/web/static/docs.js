// Shows openapi.json: routes with parameters, examples and problems, then the schemas.

import { element, inline, markdown, plainTable } from "./markdown.js";
import { startTrying } from "./tryit.js";

const byId = (id) => document.getElementById(id);
const VERBS = ["get", "post", "put", "patch", "delete"];

async function start() {
  const answer = await fetch("openapi.json");
  if (!answer.ok) throw new Error(`openapi.json answered ${answer.status}`);
  const spec = await answer.json();
  byId("title").textContent = spec.info.title;
  byId("version").replaceChildren(
    `Version ${spec.info.version} · `,
    element("a", { href: "openapi.json" }, "openapi.json"), " · ",
    element("a", { href: "status" }, "status"));
  byId("about").replaceChildren(...markdown(spec.info.description));
  const operations = listOperations(spec);
  byId("routes").append(...operations.map((operation) => showOperation(operation, spec)));
  byId("problems").append(plainTable(["status", "code", "what to do"],
    spec["x-problems"].map((each) => [String(each.status), `\`${each.code}\``, each.detail])));
  const schemas = Object.entries(spec.components.schemas).sort(([a], [b]) => a.localeCompare(b));
  byId("schemas").append(...schemas.map(([name, schema]) => showSchema(name, schema)));
  showContents(operations, schemas.map(([name]) => name));
  startTrying(operations);
  window.addEventListener("hashchange", openTarget);
  openTarget();
}

function listOperations(spec) {
  return Object.entries(spec.paths).flatMap(([path, item]) =>
    VERBS.filter((verb) => item[verb]).map((verb) => ({
      verb, path, listeners: item["x-listeners"], ...item[verb],
    })));
}

function showOperation(operation, spec) {
  const inside = element("div", { class: "inside" },
    ...(operation.description ? markdown(operation.description) : []),
    element("p", {}, ...accessOf(operation)));
  if (operation.parameters?.length) {
    inside.append(element("h3", {}, "Parameters"),
      plainTable(["name", "in", "type", "what"], operation.parameters.map(parameterRow)));
  }
  if (operation.requestBody) {
    inside.append(element("h3", {}, "Body"), ...showContent(operation.requestBody.content));
  }
  inside.append(element("h3", {}, "Answers"),
    ...Object.entries(operation.responses).map(([status, response]) =>
      showResponse(status, response, spec)));
  return element("details", { id: operation.operationId },
    element("summary", {},
      element("span", { class: `badge verb ${operation.verb}` }, operation.verb.toUpperCase()), " ",
      element("span", { class: "mono path" }, operation.path), " ", operation.summary, " ",
      ...operation.listeners.map((each) => element("span", { class: "badge" }, each))),
    inside);
}

function accessOf(operation) {
  const scopes = operation.security.flatMap((each) => each.ApiKey ?? []);
  if (!scopes.length) return ["Needs no key."];
  const free = operation.security.some((each) => Object.keys(each).length === 0);
  return inline(`Needs a key with scope \`${scopes.join(", ")}\`${free ? ", but for a listener on loopback" : ""}.`);
}

function parameterRow(parameter) {
  const name = element("span", {}, element("code", {}, parameter.name), " ",
    parameter.required ? element("span", { class: "required" }, "required") : "");
  const example = parameter.example === undefined ? "" : ` Such as \`${[].concat(parameter.example)[0]}\`.`;
  return [name, parameter.in, typeOf(parameter.schema), `${parameter.description ?? ""}${example}`];
}

function showResponse(status, response, spec) {
  const tone = status < "300" ? "good" : status < "500" ? "warn" : "bad";
  const headers = Object.entries(response.headers ?? {}).map(([name, header]) => {
    const found = resolve(header, spec);
    return [`\`${name}\``, found.description ?? JSON.stringify(found.schema)];
  });
  return element("details", {},
    element("summary", {}, element("span", { class: `badge ${tone}` }, status), " ",
      ...inline(response.description)),
    element("div", { class: "inside" },
      headers.length ? plainTable(["header", "what"], headers) : null,
      ...showContent(response.content)));
}

function showContent(content) {
  return Object.entries(content).flatMap(([type, media]) => [
    element("p", {}, element("code", {}, type), " ", typeOf(media.schema)),
    ...Object.entries(media.examples ?? {}).map(([name, example]) => element("details", {},
      element("summary", {}, `Example: ${name}`),
      element("pre", { class: "inside", tabindex: "0" }, JSON.stringify(example.value, null, 2)))),
  ]);
}

function showSchema(name, schema) {
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(([member, shape]) => [
    element("span", {}, element("code", {}, member), " ",
      required.has(member) ? element("span", { class: "required" }, "required") : ""),
    typeOf(shape), shape.description ?? "",
  ]);
  return element("details", { id: `schema-${name}` },
    element("summary", {}, element("span", { class: "mono path" }, name)),
    element("div", { class: "inside" },
      ...(schema.description ? markdown(schema.description) : []),
      plainTable(["member", "type", "what"], rows),
      schema.additionalProperties === false ? element("p", { class: "faint" }, "No other members.") : null));
}

// A type in words, with links to the schemas it names.
function typeOf(schema) {
  return element("span", {}, ...words(schema));
}

function words(schema) {
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    return [element("a", { href: `#schema-${name}` }, name)];
  }
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches) {
    return branches.flatMap((branch, index) => (index ? [" or ", ...words(branch)] : words(branch)));
  }
  if (schema.const !== undefined) return [element("code", {}, JSON.stringify(schema.const))];
  if (schema.enum) return [schema.enum.map((value) => JSON.stringify(value)).join(" or ")];
  if (schema.type === "array") return [`list${bounds(schema.minItems, schema.maxItems)} of `, ...words(schema.items)];
  const length = bounds(schema.minLength, schema.maxLength);
  const range = bounds(schema.minimum, schema.maximum);
  const format = schema.format ? ` (${schema.format})` : "";
  const pattern = schema.pattern ? [" ", element("code", {}, schema.pattern)] : [];
  const limits = `${length && `, characters${length}`}${range}`;
  return [`${schema.type ?? "anything"}${format}${limits}`, ...pattern];
}

function bounds(least, most) {
  if (least === undefined && most === undefined) return "";
  if (least === undefined) return ` up to ${most}`;
  return most === undefined ? ` from ${least}` : ` ${least} to ${most}`;
}

function resolve(node, spec) {
  if (!node.$ref) return node;
  return node.$ref.split("/").slice(1).reduce((found, part) => found[part], spec);
}

function showContents(operations, schemas) {
  const link = (target, text) => element("li", {}, element("a", { href: `#${target}` }, text));
  const group = (target, text, items) =>
    element("li", {}, element("a", { href: `#${target}` }, text), element("ul", {}, ...items));
  byId("contents").replaceChildren(
    link("about", "About"), link("try", "Try it"),
    group("routes", "Routes", operations.map((each) =>
      link(each.operationId, `${each.verb.toUpperCase()} ${each.path}`))),
    link("problems", "Problems"),
    group("schemas", "Schemas", schemas.map((name) => link(`schema-${name}`, name))));
}

// A link to something folded away unfolds it.
function openTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.tagName === "DETAILS") target.open = true;
  target.scrollIntoView();
}

start().catch((error) => {
  const place = byId("failure");
  place.textContent = `The API document cannot be shown: ${error.message}`;
  place.hidden = false;
});
