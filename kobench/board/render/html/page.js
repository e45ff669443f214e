"use strict";
document.documentElement.classList.add("js");

// Sort the rows of each part of a table by a column; numbers first, rows without one last.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const th = button.parentElement;
    const descending = th.getAttribute("aria-sort") === "ascending"
      || (th.getAttribute("aria-sort") === null && th.dataset.first === "descending");
    const column = [...th.parentElement.children].indexOf(th);
    for (const other of th.parentElement.children) other.removeAttribute("aria-sort");
    th.setAttribute("aria-sort", descending ? "descending" : "ascending");
    for (const body of th.closest("table").tBodies) {
      const rows = [...body.rows].filter((row) => !row.classList.contains("part"));
      const key = (row) => row.cells[column].dataset.value ?? "";
      rows.sort((a, b) => {
        const x = key(a), y = key(b);
        if (x === "" || y === "") return (x === "") - (y === "");
        const order = th.dataset.text === undefined ? Number(x) - Number(y) : x < y ? -1 : x > y ? 1 : 0;
        return descending ? -order : order;
      });
      body.append(...rows);
    }
  });
}

for (const button of document.querySelectorAll("button.more")) {
  button.addEventListener("click", () => {
    const all = button.closest("section").classList.toggle("all");
    button.setAttribute("aria-expanded", String(all));
    button.textContent = all ? button.dataset.less : button.dataset.more;
  });
}

// Show only what the filters name.
const dataset = document.getElementById("dataset");
const task = document.getElementById("task");
const predictor = document.getElementById("predictor");
function filter() {
  const word = predictor.value.trim().toLowerCase();
  for (const element of document.querySelectorAll("[data-dataset], [data-task]")) {
    element.hidden = Boolean(
      (dataset.value && element.dataset.dataset && element.dataset.dataset !== dataset.value)
      || (task.value && element.dataset.task && element.dataset.task !== task.value));
  }
  for (const row of document.querySelectorAll("tr[data-predictor]")) {
    row.hidden = Boolean(word) && !row.dataset.predictor.toLowerCase().includes(word);
  }
}
for (const control of [dataset, task, predictor]) control.addEventListener("input", filter);
filter();
