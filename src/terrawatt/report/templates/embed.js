// Draws a figure, named for screen readers: one image with an alternative text, and a menu that says what it does.
async function embed(target, specification, alternative) {
  const actions = {export: true, source: false, compiled: false, editor: false};
  const result = await vegaEmbed(target, JSON.parse(document.getElementById(specification).textContent), {renderer: "svg", actions});
  const svg = target.querySelector("svg.marks");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", alternative);
  for (const part of svg.querySelectorAll("[role]")) part.removeAttribute("role");
  target.querySelector("summary").setAttribute("aria-label", "Save this figure");
  return result;
}
