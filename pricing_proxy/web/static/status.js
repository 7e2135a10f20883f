// Keeps the status page current, and says so plainly when it is not.

const EVERY_MS = 2000;
// A reply slower than this is no picture of now.
const PATIENCE_MS = 5000;

let seenAt = new Date();

async function refresh() {
  // Nobody looks, or somebody is about to copy a text: leave the page alone.
  if (document.hidden || !getSelection().isCollapsed) return;
  try {
    const answer = await fetch(location.href, {
      headers: { Accept: "text/html" }, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch (error) {
    complain(error);
  }
}

function show(page) {
  seenAt = new Date();
  const state = document.getElementById("state");
  const focused = state.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  state.replaceChildren(...page.getElementById("state").childNodes);
  state.classList.remove("old");
  document.title = page.title;
  document.getElementById("silence").hidden = true;
  if (focused) state.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

function complain(error) {
  const silence = document.getElementById("silence");
  silence.textContent = `No answer (${error.message}). What you see is from ${seenAt.toLocaleTimeString()}.`;
  silence.hidden = false;
  document.getElementById("state").classList.add("old");
  document.title = "no answer: price service";
}

async function watch() {
  await refresh();
  setTimeout(watch, EVERY_MS);
}

setTimeout(watch, EVERY_MS);
