"use strict";
document.documentElement.classList.add("js");
const all = (what, within = document) => within.querySelectorAll(what);

// What a cell is sorted by: its text, or the first number in it.
function key(cell, words) {
  const text = cell ? cell.textContent.trim() : "";
  if (words) return text;
  const found = text.replaceAll("\u2212", "-").replaceAll(",", "").match(/-?\d+(\.\d+)?(e-?\d+)?/);
  return found ? Number(found[0]) : "";
}

// Sort the rows of each part of a table by a column; numbers first, rows without one last.
function sort(th) {
  const order = th.getAttribute("aria-sort") ?? (th.dataset.first === "descending" ? "ascending" : "descending");
  const sign = order === "ascending" ? -1 : 1;
  const words = th.dataset.words !== undefined;
  for (const other of th.parentElement.children) other.removeAttribute("aria-sort");
  th.setAttribute("aria-sort", sign < 0 ? "descending" : "ascending");
  for (const body of th.closest("table").tBodies) {
    const rows = [...body.rows].filter((row) => !row.classList.contains("part"));
    const keyed = rows.map((row) => [key(row.cells[th.cellIndex], words), row]);
    keyed.sort(([x], [y]) => x === "" || y === "" ? (x === "") - (y === "") : sign * (x < y ? -1 : x > y ? 1 : 0));
    body.append(...keyed.map(([, row]) => row));
  }
}

// The rows of each table as they were written, which the data of further columns follow.
const lines = new Map([...all("table.scores")].map((table) => [table, [...all("tr[data-predictor]", table)]]));

function cellOf(packed) {
  const cell = document.createElement("td");
  const [text, small, missing] = packed.split("\t");
  cell.className = missing ? "x m" : "x";
  cell.append(text);
  if (small) cell.append(Object.assign(document.createElement("small"), { textContent: small }));
  return cell;
}

function headOf(text, title, first) {
  const th = document.createElement("th"), button = document.createElement("button");
  th.scope = "col";
  th.dataset.first = first;
  Object.assign(button, { textContent: text, title });
  th.append(button);
  return th;
}

// Further columns, made of their data when they are first asked for.
function addColumns(section, data) {
  const [heads, ...rows] = JSON.parse(data.textContent);
  const table = section.querySelector("table.scores");
  data.remove();
  for (const [text, title, first] of heads) {
    const th = headOf(text, title, first);
    th.className = "x";
    table.tHead.rows[0].append(th);
  }
  lines.get(table).forEach((row, i) => row.append(...rows[i].map(cellOf)));
  for (const th of all("tr.part th", table)) th.colSpan += heads.length;
}

function toggle(button) {
  const data = document.getElementById(button.dataset.columns);
  if (data) addColumns(button.closest("section"), data);
  const more = button.closest("section").classList.toggle("all");
  button.setAttribute("aria-expanded", String(more));
  button.textContent = more ? button.dataset.less : button.dataset.more;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.classList.contains("more")) toggle(button);
  else if (button?.closest("th")) sort(button.closest("th"));
});

// A value as the tables of Python have it: three decimals, or three digits that say something.
function text(value, kind) {
  if (value === null) return "-";
  if (kind < 2) return String(value);
  const size = Math.abs(value);
  const decimals = size === 0 || (size >= 0.1 && size < 100) ? 3 : Math.min(8, Math.max(0, 2 - Math.floor(Math.log10(size))));
  return value.toFixed(decimals).replace("-", "\u2212");
}

// The table of single units, made of its data when it is opened.
function build(details) {
  const [heads, ...columns] = JSON.parse(document.getElementById(details.dataset.units).textContent);
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  heads.forEach((name, i) => {
    const th = headOf(name, "", i ? "descending" : "ascending");
    if (columns[i][0] === 0) th.dataset.words = "";
    head.append(th);
  });
  const body = table.createTBody();
  for (let i = 1; i < columns[0].length; i++) {
    const row = body.insertRow();
    columns.forEach((column, j) => {
      const cell = document.createElement(j ? "td" : "th");
      if (!j) cell.scope = "row";
      cell.textContent = text(column[i], column[0]);
      row.append(cell);
    });
  }
  const box = document.createElement("div");
  box.className = heads.length > 14 ? "scroll units many" : "scroll units";
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", `${details.firstElementChild.textContent}, ${details.dataset.units}`);
  box.append(table);
  details.append(box);
}
for (const details of all("details[data-units]")) {
  details.addEventListener("toggle", () => build(details), { once: true });
}

// Show only what the filters name.
const chosen = ["dataset", "task", "predictor"].map((id) => document.getElementById(id));
function filter() {
  const [dataset, task, predictor] = chosen.map((control) => control.value.trim());
  for (const element of all("[data-dataset], [data-task]")) {
    element.hidden = Boolean((dataset && element.dataset.dataset && element.dataset.dataset !== dataset)
      || (task && element.dataset.task && element.dataset.task !== task));
  }
  for (const row of all("tr[data-predictor]")) {
    row.hidden = Boolean(predictor) && !row.dataset.predictor.toLowerCase().includes(predictor.toLowerCase());
  }
}
if (chosen.every(Boolean)) {
  for (const control of chosen) control.addEventListener("input", filter);
  filter();
}
