"use strict";
// Sorts a table by the column whose heading is pressed, and hides tables that are not asked for.
for (const table of document.querySelectorAll("main table")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].map((row) => [key(row.cells[column].textContent), row]);
      rows.sort(([a], [b]) => compare(a, b, down ? -1 : 1));
      body.append(...rows.map(([, row]) => row));
    });
  });
}

// The number that a cell begins with, or its text; null for a dash or nothing.
function key(text) {
  const plain = text.trim().replace(/^\(/, "").replace("−", "-");
  if (plain === "" || plain === "–") return null;
  const number = parseFloat(plain);
  return Number.isNaN(number) ? plain.toLowerCase() : number;
}

// Cells without a value come last whichever way; numbers before texts.
function compare(a, b, sign) {
  if (a === null || b === null) return (a === null) - (b === null);
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return sign * (typeof a === "number" ? a - b : a.localeCompare(b));
}

const controls = document.querySelector(".controls");
controls.hidden = false;
controls.addEventListener("change", () => {
  const chosen = [...controls.querySelectorAll("select")].map((one) => [one.dataset.filter, one.value]);
  for (const section of document.querySelectorAll("main section[data-dataset]")) {
    section.hidden = chosen.some(([name, value]) => value && section.dataset[name] !== value);
  }
});
