// Search, choose and sort the table of reports; without scripts it is a plain table, newest first.
const table = document.querySelector("table.reports");
if (table) {
  const tools = document.querySelector(".tools");
  const said = document.querySelector(".said-count");
  const rows = [...table.tBodies[0].rows];
  tools.hidden = false;
  const show = () => {
    const words = tools.querySelector("input").value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = [...tools.querySelectorAll("select")].filter((select) => select.value);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const fits = words.every((word) => text.includes(word)) && chosen.every((select) => row.dataset[select.name] === select.value);
      row.hidden = !fits;
      shown += fits;
    }
    said.textContent = `${shown} of ${rows.length} reports`;
  };
  tools.addEventListener("input", show);
  table.querySelectorAll("thead th").forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const value = (row) => row.cells[at].dataset.value ?? row.cells[at].textContent.trim();
      const order = new Intl.Collator("en", { numeric: true }).compare;
      rows.sort((a, b) => (up ? 1 : -1) * order(value(a), value(b)));
      table.tBodies[0].append(...rows);
    });
  });
  show();
}
