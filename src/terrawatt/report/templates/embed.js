// Draws a figure, named for screen readers: one image with an alternative text, and a menu that says what it does.
async function embed(target, specification, alternative) {
  const actions = {export: true, source: false, compiled: false, editor: false};
  const result = await vegaEmbed(target, await read(document.getElementById(specification)), {renderer: "svg", actions, i18n: {SVG_ACTION: {{ say("Save as SVG") | tojson }}, PNG_ACTION: {{ say("Save as PNG") | tojson }}}});
  const svg = target.querySelector("svg.marks");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", alternative);
  for (const part of svg.querySelectorAll("[role]")) part.removeAttribute("role");
  target.querySelector("summary").setAttribute("aria-label", {{ say("Save this figure") | tojson }});
  return result;
}

// The JSON of an element, which may be packed.
async function read({type, textContent}) {
  if (type === "application/json") return JSON.parse(textContent);
  const bytes = Uint8Array.from(atob(textContent), (character) => character.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(unpacked).json();
}
