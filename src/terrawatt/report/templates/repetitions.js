// The table of all repetitions. It is made from the text of output_all.csv that the page holds, so that what is shown
// and what is downloaded are the same numbers. Figures and table tell each other by events: "picked" (rows that were
// selected in a figure, or null) and "kept" (rows that the table has, or null for all).

const ROWS = 50;  // on one page of the table
const data = JSON.parse(document.getElementById("repetition-data").textContent);
const cells = parse(data.csv).slice(1);
const texts = cells.map((row) => row.map((cell, column) => shown(cell, data.columns[column])));
const lowered = texts.map((row) => row.join(" ").toLowerCase());
const element = (id) => document.getElementById(id);
const table = element("repetition-table");
const boxes = [...document.querySelectorAll("#columns input")];

let order = cells.map((_, row) => row);  // rows as they are sorted
let picked = null;  // the rows that were selected in a figure
let page = 0;

function parse(csv) {
  const rows = [];
  let row = [];
  for (const [, quoted, plain, end] of csv.matchAll(/(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    rows.push(row);
    row = [];
  }
  return rows.slice(0, -1);  // nothing follows the last line end
}

// Whole numbers whole, others with five digits, with the decimal sign of the page.
function shown(text, column) {
  const number = Number(text);
  if (text in column.words) return column.words[text];
  if (column.is_text || text === "" || !Number.isFinite(number)) return text;
  if (Number.isInteger(number) && Math.abs(number) < 1e15) return String(number);
  if (Math.abs(number) >= 1e-4 && Math.abs(number) < 1e7) return String(Number(number.toPrecision(5))).replace(".", DECIMAL);
  return number.toExponential(4).replace(/e([+-])(\d)$/, "e$10$2").replace(".", DECIMAL);
}

// A sentence with its places filled.
function filled(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

const columns = () => boxes.filter((box) => box.checked).map((box) => Number(box.value)).sort((a, b) => a - b);

// The heads, anew when other columns are chosen.
function drawHeads() {
  const heads = columns().map((column) => {
    const {label, description, is_text} = data.columns[column];
    const head = document.createElement("th");
    head.scope = "col";
    head.title = description;
    head.className = is_text ? "t" : "";
    head.textContent = label;
    sortButton(head, (direction) => sortRows(column, direction));
    return head;
  });
  table.tHead.rows[0].replaceChildren(...heads);
  element("columns-shown").textContent = filled({{ say("({n} of {total})", n="{n}", total="{total}") | tojson }}, {n: heads.length, total: boxes.length});
}

function sortRows(column, direction) {
  const keys = cells.map((row) => key(data.columns[column].is_text ? row[column].trim() : row[column]));
  order = cells.map((_, row) => row).sort((a, b) => compare(keys[a], keys[b], direction));
  page = 0;
  drawRows();
}

function kept() {
  const words = element("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const scenario = element("scenario").value;
  const only = picked !== null && element("only-picked").checked;
  return order.filter((row) => words.every((word) => lowered[row].includes(word))
    && (scenario === "" || data.scenario_of[row] === Number(scenario))
    && (!only || picked.has(row)));
}

function drawRows() {
  const rows = kept();
  const pages = Math.max(1, Math.ceil(rows.length / ROWS));
  page = Math.min(page, pages - 1);
  const from = page * ROWS;
  const visible = columns();
  table.tBodies[0].replaceChildren(...rows.slice(from, from + ROWS).map((row) => drawRow(row, visible)));
  const all = rows.length === cells.length;
  const count = {n: rows.length, total: cells.length, from: from + 1, to: Math.min(from + ROWS, rows.length)};
  element("found").textContent = filled(all ? {{ say("{total} rows", total="{total}") | tojson }} : {{ say("{n} of {total} rows", n="{n}", total="{total}") | tojson }}, count)
    + (pages > 1 ? filled({{ say("; shown: rows {from} to {to}", **{"from": "{from}", "to": "{to}"}) | tojson }}, count) : "");
  element("printed").hidden = all && pages === 1;
  element("printed").textContent = `${element("found").textContent}. {{ say("The file output_all.csv has them all.") }}`;
  element("pager").hidden = pages === 1;
  element("pager").querySelector("span").textContent = filled({{ say("Page {n} of {total}", n="{n}", total="{total}") | tojson }}, {n: page + 1, total: pages});
  element("previous").setAttribute("aria-disabled", String(page === 0));
  element("next").setAttribute("aria-disabled", String(page === pages - 1));
  document.dispatchEvent(new CustomEvent("kept", {detail: all ? null : rows}));
}

function drawRow(row, visible) {
  const line = document.createElement("tr");
  line.classList.toggle("marked", picked !== null && picked.has(row));
  visible.forEach((column, i) => {
    const cell = document.createElement(i === 0 ? "th" : "td");
    if (i === 0) cell.scope = "row";
    if (data.columns[column].is_text) cell.className = "t";
    cell.textContent = texts[row][column];
    line.append(cell);
  });
  return line;
}

function choose(isChosen) {
  for (const box of boxes) box.checked = isChosen(data.columns[box.value]);
  redraw();
}

function redraw() {
  drawHeads();
  drawRows();
}

function narrow() {
  page = 0;
  drawRows();
}

function turn(event, by) {
  if (event.currentTarget.getAttribute("aria-disabled") === "true") return;
  page += by;
  drawRows();
  table.closest(".scroll").scrollTop = 0;
}

function download() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([data.csv], {type: "text/csv;charset=utf-8"}));
  link.download = "output_all.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);  // a browser may read it later
}

document.addEventListener("picked", ({detail}) => {
  picked = detail;
  element("picked").hidden = picked === null;
  const words = picked?.size === 1 ? {{ say("1 repetition is selected in a figure.") | tojson }} : {{ say("{n} repetitions are selected in a figure.", n="{n}") | tojson }};
  element("picked").querySelector("span").textContent = filled(words, {n: picked?.size});
  narrow();
});

for (const box of boxes) box.addEventListener("change", redraw);
element("columns-default").addEventListener("click", () => choose((column) => column.is_default));
element("columns-all").addEventListener("click", () => choose((column) => !column.is_empty));
element("search").addEventListener("input", narrow);
element("scenario").addEventListener("change", narrow);
element("only-picked").addEventListener("change", narrow);
element("clear-picked").addEventListener("click", () => {
  document.dispatchEvent(new CustomEvent("picked", {detail: null}));
  element("search").focus();  // the button is gone
});
element("previous").addEventListener("click", (event) => turn(event, -1));
element("next").addEventListener("click", (event) => turn(event, 1));
element("download").addEventListener("click", download);
element("controls").hidden = false;
choose((column) => column.is_default);
