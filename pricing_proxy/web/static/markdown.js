// The few forms of CommonMark that our descriptions use, as DOM nodes: text is never parsed as HTML.

/** Return an element with attributes and children; strings become text. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) made.setAttribute(attribute, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Return the nodes of one line of text: `code`, **strong**, *emphasis*. */
export function inline(text) {
  const parts = text.split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*]+\*)/);
  return parts.filter(Boolean).map((part) => {
    if (part.length > 2 && part.startsWith("`")) return element("code", {}, part.slice(1, -1));
    if (part.length > 4 && part.startsWith("**")) return element("strong", {}, part.slice(2, -2));
    if (part.length > 2 && part.startsWith("*")) return element("em", {}, part.slice(1, -1));
    return part;
  });
}

/** Return the nodes of a description: headings, tables and paragraphs. */
export function markdown(text) {
  return text.trim().split(/\n{2,}/).map((block) => {
    if (block.startsWith("## ")) return element("h2", {}, ...inline(block.slice(3)));
    if (block.startsWith("|")) return table(block.split("\n").map(cells));
    return element("p", {}, ...inline(block.replaceAll("\n", " ")));
  });
}

/** Return a table whose first row is the head. Cells are texts or nodes. */
export function plainTable(head, rows) {
  const nodes = (cell) => (typeof cell === "string" ? inline(cell) : [cell]);
  const row = (tag, attributes) => (list) =>
    element("tr", {}, ...list.map((cell) => element(tag, attributes, ...nodes(cell))));
  return element("div", { class: "scroll" }, element("table", {},
    element("thead", {}, row("th", { scope: "col" })(head)),
    element("tbody", {}, ...rows.map(row("td", {})))));
}

function table([head, , ...rows]) {
  return plainTable(head, rows);
}

function cells(line) {
  return line.replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
}
