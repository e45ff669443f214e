"use strict";
// A search field shows the entries of its list, or the rows of its table, that have all its words.
for (const field of document.querySelectorAll("input[data-for]")) {
  const entries = document.querySelectorAll(`#${field.dataset.for} :is(li, tbody tr)`);
  const status = document.getElementById(`${field.dataset.for}-count`);
  const texts = [...entries].map((entry) => entry.textContent.toLowerCase());
  const show = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    entries.forEach((entry, i) => {
      entry.hidden = !words.every((word) => texts[i].includes(word));
      count += entry.hidden ? 0 : 1;
    });
    if (status) status.textContent = `${count} of ${entries.length}`;
  };
  field.addEventListener("input", show);
  show();
}
