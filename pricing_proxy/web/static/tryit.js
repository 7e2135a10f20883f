// Sends a price request to a base URL of the reader's choice, and always shows the same as curl.

import { element } from "./markdown.js";

const byId = (id) => document.getElementById(id);
const PATH = "/v1/prices";
const PUBLIC_PORT = "8080";

/** Fill the form from the document and keep the shell command up to date. */
export function startTrying(spec) {
  const item = spec.paths[PATH];
  const samples = item.post.requestBody.content["application/json"].examples;
  const host = location.hostname || "127.0.0.1";
  byId("try-base").value = `${location.protocol === "https:" ? "https" : "http"}://${host}:${PUBLIC_PORT}`;
  byId("try-route").append(
    element("option", { value: "post" }, `POST ${PATH}`),
    element("option", { value: "get" }, `GET ${PATH}`));
  byId("try-example").append(...Object.keys(samples).map((name) => element("option", { value: name }, name)));
  byId("try-query").value = item.get.parameters
    .filter((parameter) => parameter.example !== undefined)
    .flatMap((parameter) => [].concat(parameter.example).map((value) => `${parameter.name}=${value}`))
    .join("\n");
  const fillBody = () => {
    byId("try-body").value = JSON.stringify(samples[byId("try-example").value].value, null, 2);
    refresh();
  };
  byId("try-example").addEventListener("change", fillBody);
  byId("try-form").addEventListener("input", refresh);
  byId("try-form").addEventListener("submit", send);
  byId("try-copy").addEventListener("click", copy);
  fillBody();
}

// The request as the form says it; `query` is percent-encoded.
function wanted() {
  const isGet = byId("try-route").value === "get";
  const pairs = byId("try-query").value.split("\n").filter((line) => line.trim()).map((line) => {
    const at = line.indexOf("=");
    return at < 0 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1)];
  });
  const query = isGet ? `?${new URLSearchParams(pairs)}` : "";
  return {
    isGet,
    url: byId("try-base").value.trim().replace(/\/+$/, "") + PATH + query,
    key: byId("try-key").value,
    body: isGet ? null : byId("try-body").value,
  };
}

function refresh() {
  const { isGet } = wanted();
  for (const id of ["try-query-label", "try-query-help"]) byId(id).hidden = !isGet;
  byId("try-body-label").hidden = isGet;
  byId("try-example").disabled = isGet;
  byId("try-curl").textContent = curl();
  byId("try-copied").textContent = "";
}

function curl() {
  const { url, key, body } = wanted();
  const parts = [`curl -i ${quoted(url)}`, `-H ${quoted(`X-API-Key: ${key || "YOUR-KEY"}`)}`];
  if (body !== null) parts.push("-H 'Content-Type: application/json'", `-d ${quoted(body)}`);
  return parts.join(" \\\n  ");
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
  const headers = { "X-API-Key": request.key };
  if (!request.isGet) headers["Content-Type"] = "application/json";
  button.disabled = true;
  try {
    const began = performance.now();
    const answer = await fetch(request.url, {
      method: request.isGet ? "GET" : "POST", headers, body: request.body ?? undefined, cache: "no-store",
    });
    const text = await answer.text();
    showAnswer(answer, text, Math.round(performance.now() - began));
  } catch (error) {
    await showFailure(request.url, error);
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

// The browser hides why a request failed. A request whose answer nobody may read still tells
// an address that does not answer from a rule that keeps this page from reading.
async function showFailure(url, error) {
  const { origin } = URL.canParse(url) ? new URL(url) : { origin: null };
  let message = `The base URL is not an address (${error.message}).`;
  if (origin !== null) {
    message = (await answers(origin))
      ? `The browser blocked this (CORS): ${origin} answers, but it does not allow pages of ${location.origin} to call it. Use the curl command above, or put both behind one origin.`
      : `${origin} does not answer: is the service running, and is this the address of its public listener?`;
  }
  byId("try-result").replaceChildren(element("p", { class: "notice bad", role: "alert" }, message));
}

async function answers(origin) {
  try {
    await fetch(`${origin}/health/live`, { mode: "no-cors", cache: "no-store" });
    return true;
  } catch {
    return false;
  }
}
