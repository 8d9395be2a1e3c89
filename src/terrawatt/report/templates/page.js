// Interactive figures, and sorting of tables. Without it the page still shows everything.

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
  const {view, spec} = await embed(drawn, chart.dataset.specification, chart.querySelector("img").alt);
  chart.replaceChildren(drawn);
  if (spec.params?.some(({name}) => name === "kept")) link(chart, view, spec);
}

// Points that are selected in a figure pick rows of the table; what the table leaves out is faded in the figures.
const {scenarios, scenario_of} = JSON.parse(document.getElementById("repetition-data").textContent);
const views = new Map();  // chart -> its view
let source = null;  // the chart in which points are selected
let shades = false;  // what the table has: false for all
let waiting = false;

function link(chart, view, spec) {
  const points = Object.values(spec.datasets).flat().filter(({row}) => row !== undefined);
  views.set(chart, view);
  view.signal("kept", shades).runAsync();
  if (!points.length) return;
  view.addSignalListener("brush", (_, {x, y}) => {
    const found = x && y ? points.filter((point) => isWithin(point.x, x) && isWithin(point.y, y)) : [];
    if (!found.length && source !== chart) return;
    source = found.length ? chart : null;
    pickOnceAFrame(found.map(({row}) => row));
  });
}

function isWithin(value, range) {
  return value >= Math.min(...range) && value <= Math.max(...range);
}

function pickOnceAFrame(rows) {
  if (!waiting) requestAnimationFrame(() => {
    const detail = waiting.length ? new Set(waiting) : null;
    waiting = false;
    document.dispatchEvent(new CustomEvent("picked", {detail}));
  });
  waiting = rows;
}

document.addEventListener("picked", ({detail}) => {
  if (detail === null) source = null;
  for (const [chart, view] of views) {
    if (chart !== source && "brush_x_1" in view.getState().signals) view.signal("brush_x_1", []).signal("brush_y_1", []).runAsync();
    tellSelection(chart, chart === source ? detail.size : 0);
  }
});

document.addEventListener("kept", ({detail}) => {
  shades = detail !== null && {
    rows: Object.fromEntries(detail.map((row) => [row, true])),
    scenarios: Object.fromEntries(detail.map((row) => [scenarios[scenario_of[row]], true])),
  };
  for (const view of views.values()) view.signal("kept", shades).runAsync();
});

// Under a figure: how many of its points are selected, the way to their rows, and the way back.
function tellSelection(chart, size) {
  const figure = chart.closest("figure");
  let line = figure.querySelector(".picked");
  if (!line) {
    line = document.createElement("p");
    line.className = "picked";
    line.innerHTML = `<span></span> <a href="#repetitions">{{ say("Their rows") }}</a> <button type="button">{{ say("Clear the selection") }}</button>`;
    line.querySelector("button").addEventListener("click", () => {
      document.dispatchEvent(new CustomEvent("picked", {detail: null}));
    });
    figure.querySelector("figcaption").prepend(line);
  }
  line.hidden = size === 0;
  line.querySelector("span").textContent = (size === 1 ? {{ say("1 repetition selected.") | tojson }} : {{ say("{n} repetitions selected.", n="{n}") | tojson }}).replace("{n}", size);
}

for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    sortButton(head, (direction) => sortBody(table.tBodies[0], column, direction));
  });
}

function sortBody(body, column, direction) {
  const rows = [...body.rows].map((row) => {
    const cell = row.cells[column];
    return {row, key: key(cell.dataset.order ?? cell.textContent.trim())};
  });
  rows.sort((a, b) => compare(a.key, b.key, direction));
  body.append(...rows.map(({row}) => row));
}

// What is folded away is printed too, and folded away again afterwards.
let unfolded = [];
matchMedia("print").addEventListener("change", ({matches}) => {
  if (matches) unfolded = [...document.querySelectorAll("main details:not([open], .vega-embed *)")];
  for (const details of unfolded) details.open = matches;
});
