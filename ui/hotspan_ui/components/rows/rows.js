// A table whose rows are links. All text is set by textContent: it is other people's.

export default function (component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".rows")
  root.setAttribute("aria-label", data.label)
  root.style.setProperty("--columns", data.columns.map((column) => column.width).join(" "))

  const open = (event, url) => {
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey
    if (!plain || event.altKey) return // a new tab or window: the browser's business
    event.preventDefault()
    // As if the browser had gone there by its history: Streamlit shows the page, and Back comes
    // back to this URL. Its own switch_page leaves a URL in between that mixes the two.
    history.pushState(history.state, "", url)
    window.dispatchEvent(new PopStateEvent("popstate", { state: history.state }))
  }
  root.replaceChildren(
    header(data.columns),
    ...data.rows.map((row) => line(row, data.columns, open)),
  )
}

function header(columns) {
  const head = element("div", "head", "row")
  for (const column of columns) {
    const cell = element("span", `cell ${column.align}`, "columnheader")
    cell.textContent = column.title
    head.append(cell)
  }
  return head
}

function line(row, columns, open) {
  const link = element("a", "row", "row")
  link.href = row.url
  link.dataset.key = row.key
  link.onclick = (event) => open(event, row.url)
  row.cells.forEach((cell, index) => link.append(part(cell, columns[index])))
  return link
}

function part(cell, column) {
  const box = element("span", `cell ${column.align}`, "cell")
  if (cell.title) box.title = cell.title
  if (cell.style === "text") box.dataset.column = column.title
  const main = element("span", `main ${cell.style} ${cell.tone ? `tone-${cell.tone}` : ""}`)
  main.textContent = cell.text
  box.append(main)
  if (cell.sub) {
    const sub = element("span", "sub")
    sub.textContent = cell.sub
    box.append(sub)
  }
  return box
}

function element(name, classes, role) {
  const made = document.createElement(name)
  made.className = classes
  if (role) made.setAttribute("role", role)
  return made
}
