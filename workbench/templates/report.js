// Charts come alive when they come into view; until then, and wherever this fails, the still picture stays.
const figures = document.querySelectorAll("figure:has(> .live)");
const readSpec = async (script) => {
  if (script.type === "application/json") return JSON.parse(script.textContent);
  const packed = Uint8Array.from(atob(script.textContent), (character) => character.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
};
const enliven = async (figure) => {
  const place = figure.querySelector(".live");
  const still = figure.querySelector(".still");
  try {
    const spec = await readSpec(figure.querySelector("script"));
    spec.width = Math.max(280, Math.floor(still.clientWidth));
    if (spec.width < 480) {
      spec.config.axisY = { ...spec.config.axisY, labelLimit: 150 };
      spec.config.legend = { ...spec.config.legend, columns: 2, labelLimit: 130 };
    }
    place.hidden = false;
    await vegaEmbed(place, spec, {
      ast: true, actions: false, renderer: "svg", defaultStyle: false, tooltip: { disableDefaultStyle: true },
    });
    figure.classList.add("alive");
  } catch (error) {
    place.hidden = true;
    place.replaceChildren();
  }
};
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.isIntersecting) {
      watcher.unobserve(entry.target);
      enliven(entry.target);
    }
  }
}, { rootMargin: "200px" });
figures.forEach((figure) => watcher.observe(figure));
