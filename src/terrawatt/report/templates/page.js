// Interactive figures, sorting and searching. Without it the page still shows everything.

// A figure's picture is replaced when it comes near the screen, so that a page of many opens at once.
const observer = new IntersectionObserver((entries) => {
  for (const entry of entries.filter((entry) => entry.isIntersecting)) {
    observer.unobserve(entry.target);
    draw(entry.target);
  }
}, {rootMargin: "600px"});
document.querySelectorAll(".chart").forEach((chart) => observer.observe(chart));

async function draw(chart) {
  const drawn = document.createElement("div");
  await embed(drawn, chart.dataset.specification, chart.querySelector("img").alt);
  chart.replaceChildren(drawn);
}

// Tables: a button in each head sorts; empty cells stay last.
for (const table of document.querySelectorAll("table.sortable")) {
  table.querySelectorAll("thead th").forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, head, column));
    head.append(button);
  });
}

function sort(table, head, column) {
  const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({row, key: key(row.cells[column])}));
  rows.sort((a, b) => compare(a.key, b.key, direction));
  body.append(...rows.map(({row}) => row));
}

function key(cell) {
  const text = cell.dataset.order ?? cell.textContent.trim();
  const number = Number(text);
  return {missing: text === "" || text === "–", number: text !== "" && !Number.isNaN(number) ? number : null, text};
}

function compare(a, b, direction) {
  if (a.missing || b.missing) return a.missing - b.missing;
  if (a.number !== null && b.number !== null) return direction * (a.number - b.number);
  return direction * a.text.localeCompare(b.text, undefined, {numeric: true});
}

// Search: a row stays when it holds every word.
const search = document.getElementById("search");
const rows = [...document.querySelectorAll("#repetition-table tbody tr")].map((row) => ({
  row,
  text: [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase(),
}));
search.closest(".search").hidden = false;
search.addEventListener("input", () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const {row, text} of rows) {
    row.hidden = !words.every((word) => text.includes(word));
    shown += !row.hidden;
  }
  document.getElementById("found").textContent = words.length ? `${shown} of ${rows.length} rows` : "";
});

// What is folded away is printed too.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
