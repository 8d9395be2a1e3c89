const DECIMAL = {{ (0.5 | decimal("g"))[1] | tojson }};

// Order of cells: numbers by size, words by the alphabet, empty ones last.
function key(text) {
  const number = Number(text.replace(DECIMAL, "."));
  return {missing: text === "" || text === "–", number: text !== "" && !Number.isNaN(number) ? number : null, text};
}

function compare(a, b, direction) {
  if (a.missing || b.missing) return a.missing - b.missing;
  if (a.number !== null && b.number !== null) return direction * (a.number - b.number);
  return direction * a.text.localeCompare(b.text, undefined, {numeric: true});
}

// A button in a column's head, which sorts; says in which direction through aria-sort.
function sortButton(head, sort) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  button.addEventListener("click", () => {
    const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
    sort(direction);
  });
  head.append(button);
}
