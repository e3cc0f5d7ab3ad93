// Charts come alive when they come into view; until then, and wherever this fails, the still picture stays.
const figures = document.querySelectorAll("figure:has(> script[type='application/json'])");
const enliven = async (figure) => {
  const place = figure.querySelector(".live");
  const still = figure.querySelector(".still");
  const spec = JSON.parse(figure.querySelector("script").textContent);
  spec.width = Math.max(280, Math.floor(still.clientWidth));
  place.hidden = false;
  try {
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
