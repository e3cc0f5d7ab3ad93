// The network view: pan, zoom, find an account, show one cluster; all of it by mouse, touch and keyboard.
for (const figure of document.querySelectorAll("figure:has(> .explorer)")) {
  const explorer = figure.querySelector(".explorer");
  const canvas = explorer.querySelector("canvas");
  const said = explorer.querySelector("[role=status]");
  const table = explorer.querySelector(".linked");
  const search = explorer.querySelector("input");
  const choice = explorer.querySelector("select");
  const pen = canvas.getContext("2d");
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const BATCH = 2000, WHILE_MOVING = 6000, NEAR_PX = 14, MOST_LINKED = 20;
  let graph, view = { scale: 1, x: 0, y: 0 }, selected = -1, hovered = -1, moving = false, waiting = 0, found = [], step = 0;

  const numbers = (text) => (text ? text.split(" ").map(Number) : []);
  const colourOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const unpack = (packed) => {
    const x = numbers(packed.x), y = numbers(packed.y), cluster = numbers(packed.cluster), weight = numbers(packed.weight);
    const linked = x.map(() => []);
    const edges = [];
    let a = 0;
    numbers(packed.first).forEach((more, n) => { a += more; edges.push([a, 0, weight[n], n]); });
    numbers(packed.step).forEach((more, n) => { edges[n][1] = edges[n][0] + more; });
    for (const [from, to, n] of edges) { linked[from].push([to, n]); linked[to].push([from, n]); }
    linked.forEach((ends) => ends.sort((one, other) => other[1] - one[1]));
    edges.sort((one, other) => other[2] - one[2] || one[3] - other[3]);
    return { x, y, cluster, core: numbers(packed.core), labels: packed.labels, colours: packed.colours, edges, linked };
  };

  const shown = (node) => !choice.value || String(graph.cluster[node]) === choice.value;
  const shade = (cluster) => graph.colours[cluster] || colourOf("--soft");
  const toScreen = (node) => [graph.x[node] * view.scale + view.x, graph.y[node] * view.scale + view.y];

  const fit = () => {
    const nodes = graph.x.map((_, node) => node).filter(shown);
    const margin = 24, wide = canvas.clientWidth - 2 * margin, high = canvas.clientHeight - 2 * margin;
    let left = Infinity, right = -Infinity, top = Infinity, bottom = -Infinity;
    for (const node of nodes) {
      left = Math.min(left, graph.x[node]); right = Math.max(right, graph.x[node]);
      top = Math.min(top, graph.y[node]); bottom = Math.max(bottom, graph.y[node]);
    }
    const scale = Math.min(wide / Math.max(1, right - left), high / Math.max(1, bottom - top));
    return { scale, x: margin + (wide - scale * (right - left)) / 2 - left * scale, y: margin + (high - scale * (bottom - top)) / 2 - top * scale };
  };

  const drawEdges = (edges, colour, width, alpha) => {
    pen.strokeStyle = colour; pen.lineWidth = width; pen.globalAlpha = alpha;
    for (let begin = 0; begin < edges.length; begin += BATCH) {
      pen.beginPath();
      for (const [a, b] of edges.slice(begin, begin + BATCH)) { pen.moveTo(...toScreen(a)); pen.lineTo(...toScreen(b)); }
      pen.stroke();
    }
  };

  const drawNode = (node, alpha) => {
    const [x, y] = toScreen(node);
    const radius = (graph.core[node] ? 4.2 : 2.8) * Math.min(2.2, Math.max(0.7, Math.sqrt(view.scale * 14)));
    pen.globalAlpha = alpha; pen.fillStyle = shade(graph.cluster[node]);
    pen.beginPath(); pen.arc(x, y, radius, 0, 2 * Math.PI); pen.fill();
    return radius;
  };

  const drawLabel = (node) => {
    const [x, y] = toScreen(node), name = [...graph.labels[node]], text = name.slice(0, 40).join("") + (name.length > 40 ? "…" : "");
    pen.globalAlpha = 1; pen.font = "600 13px system-ui, sans-serif";
    const wide = pen.measureText(text).width + 12;
    const left = Math.max(2, Math.min(x + 10, canvas.clientWidth - wide - 2)), top = Math.max(2, y - 30);
    pen.fillStyle = colourOf("--ink"); pen.fillRect(left, top, wide, 21);
    pen.fillStyle = colourOf("--paper"); pen.fillText(text, left + 6, top + 15);
  };

  const draw = () => {
    waiting = 0;
    const ratio = window.devicePixelRatio || 1;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    const near = selected < 0 ? null : new Set([selected, ...graph.linked[selected].map(([end]) => end)]);
    const edges = moving ? graph.edges.slice(0, WHILE_MOVING) : graph.edges;
    const groups = new Map();
    for (const edge of edges) {
      if (!shown(edge[0]) && !shown(edge[1])) continue;
      const own = graph.cluster[edge[0]] === graph.cluster[edge[1]] ? graph.cluster[edge[0]] : 0;
      if (!groups.has(own)) groups.set(own, []);
      groups.get(own).push(edge);
    }
    const faint = Math.max(0.06, Math.min(0.3, 400 / Math.max(1, edges.length)));
    for (const [cluster, some] of groups) drawEdges(some, shade(cluster), 1, near ? faint / 3 : faint);
    if (near) drawEdges(graph.edges.filter(([a, b]) => a === selected || b === selected), colourOf("--ink"), 1.4, 0.7);
    graph.x.forEach((_, node) => drawNode(node, (near && !near.has(node)) || !shown(node) ? 0.16 : 1));
    if (selected >= 0) {
      const [x, y] = toScreen(selected), radius = drawNode(selected, 1);
      pen.globalAlpha = 1; pen.strokeStyle = colourOf("--ink"); pen.lineWidth = 2.5;
      pen.beginPath(); pen.arc(x, y, radius + 4, 0, 2 * Math.PI); pen.stroke();
    }
    for (const node of new Set([selected, hovered])) if (node >= 0) drawLabel(node);
    canvas.dataset.drawn = String(edges.length);
  };
  const redraw = () => { waiting ||= requestAnimationFrame(draw); };

  let settle = 0;
  const keepMoving = () => { moving = true; clearTimeout(settle); settle = setTimeout(() => { moving = false; redraw(); }, 140); redraw(); };
  const glide = (goal) => {
    if (still.matches) { view = goal; redraw(); return; }
    const from = { ...view }, begin = performance.now();
    const tick = (now) => {
      const part = Math.min(1, (now - begin) / 220), eased = 1 - (1 - part) ** 3;
      for (const key of ["scale", "x", "y"]) view[key] = from[key] + (goal[key] - from[key]) * eased;
      keepMoving();
      if (part < 1) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  };
  const zoom = (factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) => {
    const whole = fit().scale, scale = Math.min(whole * 60, Math.max(whole * 0.5, view.scale * factor)), by = scale / view.scale;
    view = { scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
    keepMoving();
  };
  const bring = (node, scale = view.scale) => glide({
    scale, x: canvas.clientWidth / 2 - graph.x[node] * scale, y: canvas.clientHeight / 2 - graph.y[node] * scale,
  });

  const FROM_RIGHT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
  const nameOf = (node) => (FROM_RIGHT.test(graph.labels[node]) ? `\u2068${graph.labels[node]}\u2069` : graph.labels[node]);
  const count = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
  const place = (node) => (graph.cluster[node] ? `cluster ${graph.cluster[node]}` : "in no cluster");
  const cell = (row, tag, content) => { const made = row.appendChild(document.createElement(tag)); made.append(content); return made; };
  const list = (node) => {
    table.hidden = node < 0;
    const rows = table.querySelector("tbody");
    rows.replaceChildren();
    if (node < 0) return;
    const ends = graph.linked[node];
    table.querySelector("caption").textContent = `Linked with ${nameOf(node)}: ${ends.length > MOST_LINKED ? `the ${MOST_LINKED} strongest of ` : ""}${count(ends.length, "account")}`;
    for (const [end, n] of ends.slice(0, MOST_LINKED)) {
      const row = rows.appendChild(document.createElement("tr"));
      const button = document.createElement("button");
      button.type = "button"; button.dir = "auto"; button.textContent = graph.labels[end];
      button.addEventListener("click", () => { select(end); canvas.focus(); });
      cell(row, "th", button).scope = "row";
      cell(row, "td", place(end));
      cell(row, "td", n.toLocaleString("en")).className = "number";
    }
  };
  const select = (node) => {
    selected = node;
    list(node);
    if (node < 0) { said.textContent = "Nothing is selected."; redraw(); return; }
    const ends = graph.linked[node];
    const most = ends.length ? `, most with ${nameOf(ends[0][0])} (${count(ends[0][1], "co-action")})` : "";
    said.textContent = `${nameOf(node)}, ${place(node)}${graph.core[node] ? ", in its core" : ""}: linked with ${count(ends.length, "account")} here${most}.`;
    const [x, y] = toScreen(node);
    if (x < 30 || y < 30 || x > canvas.clientWidth - 30 || y > canvas.clientHeight - 30) bring(node); else redraw();
  };

  const nearest = (x, y) => {
    let best = -1, least = NEAR_PX ** 2;
    graph.x.forEach((_, node) => {
      const [a, b] = toScreen(node), far = (a - x) ** 2 + (b - y) ** 2;
      if (far < least) { least = far; best = node; }
    });
    return best;
  };
  const towards = (dx, dy) => {
    const [x, y] = selected < 0 ? [canvas.clientWidth / 2, canvas.clientHeight / 2] : toScreen(selected);
    let best = -1, least = Infinity;
    graph.x.forEach((_, node) => {
      if (node === selected || !shown(node)) return;
      const [a, b] = toScreen(node), along = (a - x) * dx + (b - y) * dy, aside = Math.abs((a - x) * dy) + Math.abs((b - y) * dx);
      if (selected >= 0 && (along <= 0 || aside > along)) return;
      const far = selected < 0 ? (a - x) ** 2 + (b - y) ** 2 : along + 2 * aside;
      if (far < least) { least = far; best = node; }
    });
    if (best >= 0) select(best); else said.textContent = "No account further that way.";
  };

  const find = () => {
    const words = search.value.trim().toLowerCase();
    if (!words) { select(-1); return; }
    const now = graph.labels.flatMap((label, node) => (label.toLowerCase().includes(words) ? [node] : []));
    step = now.join() === found.join() ? step + 1 : 0;
    found = now;
    if (!found.length) { select(-1); said.textContent = `No account here has “${search.value.trim()}” in its name.`; return; }
    const node = found[step % found.length];
    select(node);
    bring(node, Math.max(view.scale, fit().scale * 2.5));
    if (found.length > 1) said.textContent += ` Match ${(step % found.length) + 1} of ${found.length}; search again for the next.`;
  };

  const fingers = new Map();
  let travelled = 0;
  const listen = () => {
    const spot = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId); fingers.set(event.pointerId, spot(event)); travelled = 0; canvas.focus({ preventScroll: true });
    });
    canvas.addEventListener("pointermove", (event) => {
      const now = spot(event), before = fingers.get(event.pointerId);
      if (!before) {
        const node = nearest(...now);
        if (node !== hovered) { hovered = node; canvas.classList.toggle("over", node >= 0); redraw(); }
        return;
      }
      const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
      travelled += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
      if (other) {
        const far = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
        zoom(far(now) / Math.max(1, far(before)), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      } else {
        view.x += now[0] - before[0]; view.y += now[1] - before[1];
      }
      fingers.set(event.pointerId, now);
      keepMoving();
    });
    canvas.addEventListener("pointerup", (event) => {
      if (fingers.size === 1 && travelled < 6) select(nearest(...spot(event)));
      fingers.delete(event.pointerId);
    });
    canvas.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));
    canvas.addEventListener("pointerleave", () => { hovered = -1; redraw(); });
    canvas.addEventListener("wheel", (event) => {
      if (document.activeElement !== canvas && !event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0018)), ...spot(event));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (way && event.shiftKey) { view.x -= way[0] * 60; view.y -= way[1] * 60; keepMoving(); }
      else if (way) towards(...way);
      else if (event.key === "+" || event.key === "=") zoom(1.4);
      else if (event.key === "-") zoom(1 / 1.4);
      else if (event.key === "0") glide(fit());
      else if (event.key === "Escape") select(-1);
      else return;
      event.preventDefault();
    });
    search.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); find(); } });
    choice.addEventListener("change", () => {
      select(-1); glide(fit());
      said.textContent = choice.value ? `Cluster ${choice.value}: ${count(graph.cluster.filter((one) => String(one) === choice.value).length, "account")} here.` : "All clusters.";
    });
    const acts = { find, in: () => zoom(1.4), out: () => zoom(1 / 1.4), fit: () => glide(fit()) };
    for (const button of explorer.querySelectorAll("[data-do]")) button.addEventListener("click", acts[button.dataset.do]);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  };

  const begin = async () => {
    try {
      graph = unpack(await readSpec(figure.querySelector("script.graph")));
      explorer.hidden = false;
      figure.classList.add("alive");
      listen();
      let known = false;
      new ResizeObserver(() => {
        const ratio = window.devicePixelRatio || 1;
        canvas.width = canvas.clientWidth * ratio; canvas.height = canvas.clientHeight * ratio;
        if (!known && canvas.clientWidth) { view = fit(); known = true; }
        draw();
      }).observe(canvas);
    } catch (error) {
      explorer.hidden = true;
      figure.classList.remove("alive");
    }
  };
  const looker = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) { looker.disconnect(); begin(); }
  }, { rootMargin: "200px" });
  looker.observe(figure);
}
