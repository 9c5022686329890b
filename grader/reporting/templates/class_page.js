// The table is complete without this script; here it becomes sortable and filterable.
(() => {
  const table = document.getElementById("class");
  const body = table.tBodies[0];
  const headers = [...table.tHead.rows[0].cells];
  const order = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  // Everything that sorting and filtering need is read from the page once.
  const rows = [...body.rows].map((element, index) => ({
    element,
    index,
    name: element.cells[0].dataset.value.toLocaleLowerCase(),
    state: element.dataset.state,
    missed: new Set(element.dataset.missed.split(" ")),
    values: headers.map((header, column) => {
      const value = element.cells[column].dataset.value;
      if (header.dataset.sort === "text") return value;
      return value === "" ? null : Number(value);
    }),
  }));

  function compare(a, b, numeric) {
    return numeric ? a - b : order.compare(a, b);
  }

  function sort(column, direction) {
    const numeric = headers[column].dataset.sort === "number";
    const sign = direction === "ascending" ? 1 : -1;
    const sorted = [...rows].sort((a, b) => {
      const [x, y] = [a.values[column], b.values[column]];
      // A withheld score is no number: it stays at the end in both directions.
      if (x === null || y === null) return (x === null) - (y === null) || a.index - b.index;
      return sign * compare(x, y, numeric) || a.index - b.index;
    });
    body.append(...sorted.map((row) => row.element));
    for (const header of headers) header.removeAttribute("aria-sort");
    headers[column].setAttribute("aria-sort", direction);
  }

  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const now = header.getAttribute("aria-sort");
      // The first question about points is who has most.
      const first = header.dataset.sort === "number" ? "descending" : "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      sort(column, now === first ? other : first);
    });
  });

  const text = document.getElementById("filter-text");
  const status = document.getElementById("filter-status");
  const part = document.getElementById("filter-part");
  const count = document.getElementById("count");
  const form = document.getElementById("filters");
  const noun = rows.length === 1 ? "submission" : "submissions";

  function filter() {
    const wanted = text.value.trim().toLocaleLowerCase();
    let shown = 0;
    for (const row of rows) {
      const fits =
        row.name.includes(wanted) &&
        (status.value === "" || row.state === status.value) &&
        (part.value === "" || row.missed.has(part.value));
      row.element.hidden = !fits;
      shown += fits;
    }
    count.textContent =
      shown === rows.length ? `${shown} ${noun}` : `${shown} of ${rows.length} ${noun}`;
  }

  form.addEventListener("input", filter);
  form.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  // A browser that goes back to this page fills the fields in again.
  addEventListener("pageshow", filter);
})();
