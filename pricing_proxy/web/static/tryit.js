// Sends a request of any route to the listener that this page came from, and always shows the same as curl.

import { element } from "./markdown.js";

const byId = (id) => document.getElementById(id);
const JSON_TYPE = "application/json";
let known = [];

/** Fill the form from the document's operations and keep the shell command up to date. */
export function startTrying(operations) {
  known = operations;
  byId("try-route").append(...operations.map(({ operationId, verb, path }) =>
    element("option", { value: operationId }, `${verb.toUpperCase()} ${path}`)));
  byId("try-route").addEventListener("change", fillRoute);
  byId("try-example").addEventListener("change", fillBody);
  byId("try-form").addEventListener("input", refresh);
  byId("try-form").addEventListener("submit", send);
  byId("try-copy").addEventListener("click", copy);
  byId("try-route").value = operations[0].operationId;
  fillRoute();
}

function chosen() {
  return known.find((each) => each.operationId === byId("try-route").value);
}

function samples() {
  return chosen().requestBody?.content[JSON_TYPE].examples ?? {};
}

function fillRoute() {
  byId("try-query").value = (chosen().parameters ?? [])
    .filter((parameter) => parameter.example !== undefined)
    .flatMap((parameter) => [].concat(parameter.example).map((value) => `${parameter.name}=${value}`))
    .join("\n");
  const names = Object.keys(samples());
  byId("try-example").replaceChildren(...names.map((name) => element("option", { value: name }, name)));
  byId("try-example").value = names[0] ?? "";
  fillBody();
}

function fillBody() {
  const sample = samples()[byId("try-example").value];
  byId("try-body").value = sample ? JSON.stringify(sample.value, null, 2) : "";
  refresh();
}

// The request as the form says it, percent-encoded; what the path does not name is its query.
function wanted() {
  const { verb, path, requestBody } = chosen();
  const pairs = byId("try-query").value.split("\n").filter((line) => line.trim()).map((line) => {
    const at = line.indexOf("=");
    return at < 0 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1)];
  });
  const inPath = (name) => path.includes(`{${name}}`);
  const filled = pairs.filter(([name]) => inPath(name)).reduce(
    (made, [name, value]) => made.replace(`{${name}}`, encodeURIComponent(value)), path);
  const query = new URLSearchParams(pairs.filter(([name]) => !inPath(name))).toString();
  return {
    method: verb.toUpperCase(),
    // Where this page is, whatever stands before `/docs`.
    url: new URL(`.${filled}`, new URL(".", location.href)).href + (query && `?${query}`),
    key: byId("try-key").value,
    body: requestBody ? byId("try-body").value : undefined,
  };
}

function refresh() {
  const { parameters, requestBody } = chosen();
  for (const id of ["try-query-label", "try-query-help"]) byId(id).hidden = !parameters?.length;
  byId("try-body-label").hidden = !requestBody;
  byId("try-example").disabled = !requestBody;
  byId("try-curl").textContent = curl();
  byId("try-copied").textContent = "";
}

function headersOf({ key, body }) {
  return {
    ...(chosen().security.some((each) => each.ApiKey) ? accessBy(key) : {}),
    ...(body === undefined ? {} : { "Content-Type": JSON_TYPE }),
  };
}

// A token has three parts between dots; a key has none.
function accessBy(key) {
  return key.split(".").length === 3 ? { Authorization: `Bearer ${key}` } : { "X-API-Key": key };
}

function curl() {
  const { method, url, key, body } = wanted();
  const headers = Object.entries(headersOf({ key: key || "YOUR-KEY", body }));
  return [
    `curl -i ${method === "GET" ? "" : `-X ${method} `}${quoted(url)}`,
    ...headers.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...(body === undefined ? [] : [`-d ${quoted(body)}`]),
  ].join(" \\\n  ");
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

async function copy() {
  try {
    await navigator.clipboard.writeText(curl());
    byId("try-copied").textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren(byId("try-curl"));
    byId("try-copied").textContent = "Selected; copy it with your keyboard.";
  }
}

async function send(event) {
  event.preventDefault();
  const button = event.submitter ?? byId("try-form").querySelector("button");
  const request = wanted();
  button.disabled = true;
  try {
    const began = performance.now();
    const answer = await fetch(request.url, {
      method: request.method, headers: headersOf(request), body: request.body, cache: "no-store",
    });
    const text = await answer.text();
    showAnswer(answer, text, Math.round(performance.now() - began));
  } catch (error) {
    showFailure(error);
  } finally {
    button.disabled = false;
  }
}

function showAnswer(answer, text, milliseconds) {
  const tone = answer.ok ? "good" : answer.status < 500 ? "warn" : "bad";
  const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  byId("try-result").replaceChildren(
    element("h3", {}, "Answer ",
      element("span", { class: `badge ${tone}` }, `${answer.status} ${answer.statusText}`), ` ${milliseconds} ms`),
    element("pre", { class: "panel", tabindex: "0" }, headers || "(no header that this page may read)"),
    element("pre", { class: "panel", tabindex: "0" }, pretty(text)));
}

// Money is text in our answers, so that parsing and printing again changes no digit of it.
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

// Ours alone is called, so that no rule of the browser keeps an answer from us.
function showFailure(error) {
  const message = `${location.origin} does not answer (${error.message}): is the service running?`;
  byId("try-result").replaceChildren(element("p", { class: "notice bad", role: "alert" }, message));
}
