// The waterfall of a trace. Span text reaches the page by fillText and textContent only.
//
// Parts, in this order: the component and its state; visible rows; drawing; pointer; keyboard.
// A view is kept per mounted element, so that a rerun of the page changes neither zoom nor folds.

const ROW = 26
const INDENT = 14
const FLAG = { error: 1, evidence: 2, alike: 4, orphan: 8, open: 16 }
const MIRROR_LIMIT = 60
const FOLLOWING = 6
const SELECT_DELAY_MS = 120
const MIN_ZOOM_US = 1

const views = new WeakMap()

export default function (component) {
  const { data, parentElement, setStateValue } = component
  let view = views.get(parentElement)
  if (!view || view.root !== parentElement.querySelector(".waterfall")) {
    view = mount(parentElement)
    views.set(parentElement, view)
  }
  view.send = (id) => setStateValue("selected", id)
  const identity = JSON.stringify([data.trace, data.id.length, data.flags, data.selected])
  if (view.identity !== identity) {
    view.identity = identity
    load(view, data)
  }
  view.colours = readColours(view)
  layout(view)
  draw(view)
  return () => view.observer.disconnect()
}

function mount(parentElement) {
  const root = parentElement.querySelector(".waterfall")
  const at = (name) => root.querySelector(`.${name}`)
  const view = {
    root, host: parentElement.host ?? parentElement,
    minimap: at("minimap"), axis: at("axis"), main: at("main"), scroll: at("scroll"),
    size: at("size"), tip: at("tip"), mirror: at("mirror"), legend: at("legend"),
    find: at("find"), found: at("found"), evidence: at("evidence"),
    evidenceText: at("evidence-text"), resetButton: at("reset"),
    identity: "", scrollTo: -1, hover: -1, frame: 0, timer: 0, gutter: 0.4, critical: true,
  }
  view.observer = new ResizeObserver(() => { layout(view); schedule(view) })
  view.observer.observe(root)
  view.scroll.onscroll = () => schedule(view)
  at("expand").onclick = () => foldAll(view, false)
  at("collapse").onclick = () => foldAll(view, true)
  at("critical").onchange = (event) => { view.critical = event.target.checked; schedule(view) }
  view.resetButton.onclick = () => zoom(view, view.from, view.to)
  at("previous").onclick = () => stepEvidence(view, -1)
  at("next").onclick = () => stepEvidence(view, 1)
  view.find.oninput = () => search(view)
  view.find.onkeydown = (event) => findKey(view, event)
  view.scroll.onkeydown = (event) => key(view, event)
  pointer(view)
  return view
}

function load(view, data) {
  const n = data.id.length
  view.data = data
  view.rowOf = new Map(data.id.map((id, index) => [id, index]))
  view.hasChildren = new Uint8Array(n)
  view.subtreeEnd = new Int32Array(n).map((_, index) => index + 1)
  for (let i = n - 1; i >= 0; i -= 1) {
    const parent = data.parent[i]
    if (parent < 0) continue
    view.hasChildren[parent] = 1
    view.subtreeEnd[parent] = Math.max(view.subtreeEnd[parent], view.subtreeEnd[i])
  }
  view.closed = new Uint8Array(n)
  for (let i = 0; i < n; i += 1) {
    if (data.members[i] && !(data.flags[i] & FLAG.open)) view.closed[i] = 1
  }
  const ends = data.start.map((start, i) => start + data.duration[i])
  view.from = n ? data.start.reduce((a, b) => Math.min(a, b)) : 0
  view.to = n ? Math.max(ends.reduce((a, b) => Math.max(a, b)), view.from + MIN_ZOOM_US) : 1
  view.left = view.from
  view.right = view.to
  view.matches = null
  view.find.value = ""
  view.found.textContent = ""
  view.evidenceRows = indices(n, (i) => data.flags[i] & FLAG.evidence && !data.members[i])
  view.evidenceAt = 0
  view.criticalOf = new Map()
  for (const [row, start, end] of data.critical) {
    if (!view.criticalOf.has(row)) view.criticalOf.set(row, [])
    view.criticalOf.get(row).push([start, end])
  }
  view.selected = view.rowOf.get(data.selected) ?? -1
  openAncestors(view, view.selected)
  view.scrollTo = view.selected
  view.evidenceAt = Math.max(view.evidenceRows.indexOf(view.selected), 0)
  rebuild(view)
  showEvidence(view)
  showLegend(view)
}

// ---- visible rows

function rebuild(view) {
  const { data } = view
  const visible = []
  for (let i = 0; i < data.id.length;) {
    visible.push(i)
    i = view.closed[i] ? view.subtreeEnd[i] : i + 1
  }
  view.visible = visible
  view.positionOf = new Map(visible.map((row, position) => [row, position]))
}

function toggle(view, row) {
  if (!view.hasChildren[row]) return
  view.closed[row] = view.closed[row] ? 0 : 1
  changed(view)
}

function foldAll(view, closed) {
  const { data } = view
  for (let i = 0; i < data.id.length; i += 1) {
    view.closed[i] = closed && view.hasChildren[i] && data.parent[i] >= 0 ? 1 : 0
  }
  changed(view)
}

function changed(view) {
  rebuild(view)
  layout(view)
  schedule(view)
}

function openAncestors(view, row) {
  for (let i = row < 0 ? -1 : view.data.parent[row]; i >= 0; i = view.data.parent[i]) {
    view.closed[i] = 0
  }
}

function select(view, row, { now = false } = {}) {
  view.selected = row
  clearTimeout(view.timer)
  if (row >= 0 && !view.data.members[row]) {
    view.timer = setTimeout(() => view.send(view.data.id[row]), now ? 0 : SELECT_DELAY_MS)
  }
  const at = view.evidenceRows.indexOf(row)
  if (at >= 0) view.evidenceAt = at
  showEvidence(view)
  schedule(view)
}

function goTo(view, row) {
  openAncestors(view, row)
  rebuild(view)
  layout(view)
  reveal(view, row, true)
  select(view, row)
}

function reveal(view, row, centre) {
  const position = view.positionOf.get(row)
  if (position === undefined) return
  const top = position * ROW
  const height = view.scroll.clientHeight
  const seen = top >= view.scroll.scrollTop && top + ROW <= view.scroll.scrollTop + height
  if (seen) return
  if (centre) view.scroll.scrollTop = top - height / 3
  else if (top < view.scroll.scrollTop) view.scroll.scrollTop = top
  else view.scroll.scrollTop = top + ROW - height
}

function stepEvidence(view, step) {
  const n = view.evidenceRows.length
  if (!n) return
  const onIt = view.evidenceRows[view.evidenceAt] === view.selected
  if (onIt) view.evidenceAt = (view.evidenceAt + step + n) % n
  goTo(view, view.evidenceRows[view.evidenceAt])
}

function showEvidence(view) {
  const n = view.evidenceRows.length
  view.evidence.hidden = n === 0
  view.evidenceText.textContent = `Evidence ${view.evidenceAt + 1} of ${n}`
}

function showLegend(view) {
  const colours = readColours(view)
  const items = view.data.services.map((word, index) => [
    view.data.words[word], colours.services[index % colours.services.length],
  ])
  if (view.evidenceRows.length) items.push(["Evidence", colours.evidence])
  if (view.data.flags.some((flag) => flag & FLAG.error)) items.push(["Error", colours.error])
  view.legend.replaceChildren(...items.map(([text, colour]) => {
    const item = document.createElement("span")
    const swatch = document.createElement("i")
    swatch.style.background = colour
    item.append(swatch, text)
    return item
  }))
}

function search(view) {
  const wanted = view.find.value.trim().toLowerCase()
  const { data } = view
  if (!wanted) {
    view.matches = null
    view.found.textContent = ""
    return schedule(view)
  }
  const hits = data.words.map((word) => word.toLowerCase().includes(wanted))
  const list = indices(data.id.length, (i) => !data.members[i] && (
    hits[data.name[i]] || hits[data.detail[i]] || hits[data.service[i]] || data.id[i] === wanted))
  view.matches = { list, set: new Set(list), at: -1 }
  view.found.textContent = list.length ? `${list.length} found` : "Nothing found"
  schedule(view)
}

function stepMatch(view, step) {
  const matches = view.matches
  if (!matches || !matches.list.length) return
  const n = matches.list.length
  matches.at = matches.at < 0 ? (step > 0 ? 0 : n - 1) : (matches.at + step + n) % n
  view.found.textContent = `${matches.at + 1} of ${n}`
  goTo(view, matches.list[matches.at])
}

function zoom(view, left, right) {
  const width = Math.min(Math.max(right - left, MIN_ZOOM_US), view.to - view.from)
  view.left = Math.min(Math.max(left, view.from), view.to - width)
  view.right = view.left + width
  view.resetButton.disabled = width >= view.to - view.from
  schedule(view)
}

function zoomBy(view, factor, centre = (view.left + view.right) / 2) {
  zoom(view, centre - (centre - view.left) * factor, centre + (view.right - centre) * factor)
}

// ---- drawing

function readColours(view) {
  const style = getComputedStyle(view.host)
  const get = (name) => style.getPropertyValue(`--st-${name}`).trim()
  return {
    text: get("text-color"), background: get("background-color"),
    raised: get("secondary-background-color"), border: get("border-color"),
    primary: get("primary-color"), error: get("red-color"),
    evidence: get("orange-color"), evidenceSoft: get("orange-background-color"),
    services: get("chart-categorical-colors").split(",").map((each) => each.trim()),
    font: get("font") || "sans-serif", code: get("code-font") || "monospace",
  }
}

function layout(view) {
  if (!view.data) return
  const rows = view.visible.length * ROW
  const height = Math.max(Math.min(rows, view.data.height), ROW * 3)
  view.scroll.style.height = `${height}px`
  view.size.style.height = `${Math.max(rows, height)}px`
  view.width = view.scroll.clientWidth
  view.nameWidth = Math.round(Math.min(Math.max(view.width * view.gutter, 150), view.width - 120))
  fit(view.main, view.width, height)
  fit(view.axis, view.width, 24)
  fit(view.minimap, view.width, 36)
  showFirst(view)
}

// The row selected at first, with some that follow it; not before the page has given us a size.
function showFirst(view) {
  if (view.scrollTo < 0 || !view.scroll.clientHeight) return
  const top = view.positionOf.get(view.scrollTo) * ROW
  if (top + FOLLOWING * ROW > view.scroll.clientHeight) {
    view.scroll.scrollTop = top - view.scroll.clientHeight / 3
  }
  view.scrollTo = -1
}

function fit(canvas, width, height) {
  const scale = window.devicePixelRatio || 1
  canvas.style.width = `${width}px`
  canvas.style.height = `${height}px`
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale)
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale)
}

function schedule(view) {
  if (!view.frame) view.frame = requestAnimationFrame(() => { view.frame = 0; draw(view) })
}

function brush(canvas, colours) {
  const scale = window.devicePixelRatio || 1
  const context = canvas.getContext("2d")
  context.setTransform(scale, 0, 0, scale, 0, 0)
  context.clearRect(0, 0, canvas.width, canvas.height)
  context.font = `12px ${colours.font}`
  context.textBaseline = "middle"
  return context
}

function draw(view) {
  if (!view.data || !view.width) return
  const context = brush(view.main, view.colours)
  const height = view.scroll.clientHeight
  const first = Math.floor(view.scroll.scrollTop / ROW)
  const last = Math.min(first + Math.ceil(height / ROW) + 1, view.visible.length)
  drawGrid(view, context, height)
  for (let position = first; position < last; position += 1) {
    drawRow(view, context, view.visible[position], position * ROW - view.scroll.scrollTop)
  }
  context.fillStyle = view.colours.border
  context.fillRect(view.nameWidth, 0, 1, height)
  drawAxis(view)
  drawMinimap(view)
  mirror(view, first, last)
}

const x = (view, time) =>
  view.nameWidth + 8 + ((time - view.left) / (view.right - view.left)) * plotWidth(view)
const plotWidth = (view) => view.width - view.nameWidth - 72
const timeAt = (view, px) =>
  view.left + ((px - view.nameWidth - 8) / plotWidth(view)) * (view.right - view.left)

function ticks(view) {
  const rough = (view.right - view.left) / Math.max(Math.floor(plotWidth(view) / 110), 1)
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough)
  const result = []
  for (let t = Math.ceil((view.left - view.from) / step) * step; ; t += step) {
    if (view.from + t > view.right) return result
    result.push(view.from + t)
  }
}

function drawGrid(view, context, height) {
  context.fillStyle = view.colours.border
  context.globalAlpha = 0.55
  for (const time of ticks(view)) context.fillRect(Math.round(x(view, time)), 0, 1, height)
  context.globalAlpha = 1
}

function drawAxis(view) {
  const context = brush(view.axis, view.colours)
  context.font = `11px ${view.colours.font}`
  context.fillStyle = view.colours.text
  context.globalAlpha = 0.65
  const count = view.data.members.reduce((sum, members) => sum + (members ? 0 : 1), 0)
  context.fillText(`${count.toLocaleString("en")} spans`, 12, 12)
  for (const time of ticks(view)) {
    const label = duration(time - view.from)
    const px = x(view, time)
    const width = context.measureText(label).width
    if (px + width < view.width) context.fillText(label, px, 12)
  }
  context.globalAlpha = 1
}

function drawRow(view, context, row, y) {
  const { data, colours } = view
  const flags = data.flags[row]
  const dimmed = view.matches && !view.matches.set.has(row)
  const soft = flags & FLAG.evidence && !data.members[row]
  if (soft) {
    context.globalAlpha = 0.6
    fill(context, colours.evidenceSoft, 0, y, view.width, ROW)
    context.globalAlpha = 1
  }
  if (row === view.hover && row !== view.selected) {
    context.globalAlpha = 0.6
    fill(context, colours.raised, 0, y, view.width, ROW)
    context.globalAlpha = 1
  }
  if (row === view.selected) {
    context.globalAlpha = 0.14
    fill(context, colours.primary, 0, y, view.width, ROW)
    context.globalAlpha = 1
    fill(context, colours.primary, 0, y, 3, ROW)
  } else if (flags & FLAG.evidence) fill(context, colours.evidence, 0, y, 3, ROW)
  context.save()
  context.globalAlpha = dimmed ? 0.35 : 1
  drawName(view, context, row, y)
  drawBars(view, context, row, y)
  context.restore()
}

function drawName(view, context, row, y) {
  const { data, colours } = view
  const flags = data.flags[row]
  const middle = y + ROW / 2
  context.save()
  context.beginPath()
  context.rect(0, y, view.nameWidth - 6, ROW)
  context.clip()
  // Deep trees stay readable: indentation stops where half of the column is used up.
  const left = 12 + Math.min(data.depth[row] * INDENT, view.nameWidth / 2)
  if (view.hasChildren[row]) caret(context, left, middle, view.closed[row], colours.text)
  fill(context, serviceColour(view, row), left + 13, middle - 5, 3, 10)
  let px = left + 22
  if (flags & FLAG.error) {
    context.fillStyle = colours.error
    context.font = `700 12px ${colours.font}`
    context.fillText("!", px, middle)
    px += 9
  }
  context.font = `${data.members[row] ? 600 : 400} 12.5px ${colours.font}`
  context.fillStyle = colours.text
  const name = short(data.words[data.name[row]]) || "(no name)"
  context.fillText(name, px, middle)
  px += context.measureText(name).width + 8
  if (data.members[row]) {
    const times = `× ${data.members[row].toLocaleString("en")}`
    context.fillStyle = flags & FLAG.evidence ? colours.evidence : colours.text
    context.fillText(times, px, middle)
    px += context.measureText(times).width + 8
  }
  if (flags & FLAG.orphan) {
    context.fillText("(parent missing)", px, middle)
    px += context.measureText("(parent missing)").width + 8
  }
  context.fillStyle = colours.text
  context.globalAlpha *= 0.6
  context.font = `11px ${colours.code}`
  context.fillText(short(data.words[data.detail[row]]), px, middle)
  context.restore()
}

function drawBars(view, context, row, y) {
  const { data, colours } = view
  context.save()
  context.beginPath()
  context.rect(view.nameWidth + 1, y, view.width - view.nameWidth - 1, ROW)
  context.clip()
  const top = y + 7
  const spans = data.members[row] ? indicesBelow(view, row) : [row]
  context.fillStyle = barColour(view, row)
  let end = -Infinity
  let drawnTo = -Infinity
  let total = 0
  for (const span of spans) {
    const left = x(view, data.start[span])
    const right = Math.max(x(view, data.start[span] + data.duration[span]), left + 1.5)
    total += data.duration[span]
    end = Math.max(end, right)
    if (right - drawnTo < 0.75) continue // thousands of members within one pixel
    drawnTo = right
    bar(context, left, top, right - left, ROW - 14)
  }
  if (view.critical) {
    context.fillStyle = colours.text
    for (const span of spans) {
      for (const [from, to] of view.criticalOf.get(span) ?? []) {
        context.fillRect(x(view, from), top + ROW - 13, Math.max(x(view, to) - x(view, from), 1), 1.5)
      }
    }
  }
  context.font = `11px ${colours.font}`
  context.fillStyle = colours.text
  context.globalAlpha *= 0.7
  context.fillText(duration(total), Math.max(end, view.nameWidth + 8) + 6, y + ROW / 2)
  context.restore()
}

function indicesBelow(view, fold) {
  const result = []
  for (let i = fold + 1; i < view.subtreeEnd[fold]; i = view.subtreeEnd[i]) result.push(i)
  return result
}

function drawMinimap(view) {
  const { data, colours } = view
  const context = brush(view.minimap, colours)
  const width = view.width - 24
  const scale = width / (view.to - view.from)
  const n = view.visible.length
  const at = (time) => 12 + (time - view.from) * scale
  const step = Math.max(1, Math.floor(n / 2000))
  for (let position = 0; position < n; position += step) {
    const row = view.visible[position]
    context.fillStyle = barColour(view, row)
    const spans = data.members[row] ? indicesBelow(view, row) : [row]
    const y = 3 + (position / Math.max(n, 12)) * 30
    for (const span of spans) {
      context.fillRect(at(data.start[span]), y, Math.max(data.duration[span] * scale, 1), 1.5)
    }
  }
  if (view.right - view.left < view.to - view.from) {
    context.globalAlpha = 0.16
    fill(context, colours.text, 0, 0, at(view.left), 36)
    fill(context, colours.text, at(view.right), 0, view.width - at(view.right), 36)
    context.globalAlpha = 1
  }
  if (view.drag && view.drag.on === view.minimap) drawDrag(view, context, 36)
}

function drawDrag(view, context, height) {
  const { from, to } = view.drag
  context.globalAlpha = 0.2
  fill(context, view.colours.primary, Math.min(from, to), 0, Math.abs(to - from), height)
  context.globalAlpha = 1
}

function serviceColour(view, row) {
  const at = view.data.services.indexOf(view.data.service[row])
  return view.colours.services[Math.max(at, 0) % view.colours.services.length]
}

function barColour(view, row) {
  const flags = view.data.flags[row]
  if (flags & (FLAG.evidence | FLAG.alike)) return view.colours.evidence
  if (flags & FLAG.error) return view.colours.error
  return serviceColour(view, row)
}

function fill(context, colour, left, top, width, height) {
  context.fillStyle = colour
  context.fillRect(left, top, width, height)
}

function bar(context, left, top, width, height) {
  context.beginPath()
  context.roundRect(left, top, width, height, Math.min(2, width / 2))
  context.fill()
}

function caret(context, left, middle, closed, colour) {
  context.strokeStyle = colour
  context.lineWidth = 1.4
  context.beginPath()
  if (closed) {
    context.moveTo(left + 2, middle - 4)
    context.lineTo(left + 6, middle)
    context.lineTo(left + 2, middle + 4)
  } else {
    context.moveTo(left, middle - 2)
    context.lineTo(left + 4, middle + 2)
    context.lineTo(left + 8, middle - 2)
  }
  context.stroke()
}

function mirror(view, first, last) {
  const { data } = view
  const items = []
  for (let position = first; position < Math.min(last, first + MIRROR_LIMIT); position += 1) {
    const row = view.visible[position]
    const flags = data.flags[row]
    const item = document.createElement("li")
    item.setAttribute("role", "treeitem")
    item.setAttribute("aria-level", data.depth[row] + 1)
    item.setAttribute("aria-selected", row === view.selected)
    if (view.hasChildren[row]) item.setAttribute("aria-expanded", !view.closed[row])
    item.dataset.span = data.id[row]
    if (flags & FLAG.evidence) item.dataset.evidence = "true"
    item.textContent = describe(view, row)
    items.push(item)
  }
  view.mirror.replaceChildren(...items)
  view.mirror.dataset.evidence = view.colours.evidence
  view.mirror.dataset.background = view.colours.background
  view.mirror.dataset.rows = view.visible.length
}

function describe(view, row) {
  const { data } = view
  const flags = data.flags[row]
  const parts = [data.words[data.name[row]], data.words[data.service[row]]]
  if (data.members[row]) parts.push(`${data.members[row]} alike`)
  else parts.push(duration(data.duration[row]))
  if (flags & FLAG.error) parts.push("error")
  if (flags & FLAG.evidence) parts.push("evidence")
  if (flags & FLAG.orphan) parts.push("parent missing")
  return parts.join(", ")
}

export function duration(us) {
  const digits = (value) => value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)
  if (us < 0) return `-${duration(-us)}`
  if (us === 0) return "0"
  if (us < 1e3) return `${Math.round(us)} µs`
  if (us < 1e6) return `${digits(us / 1e3)} ms`
  return `${digits(us / 1e6)} s`
}

function short(text) {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

function indices(n, wanted) {
  const result = []
  for (let i = 0; i < n; i += 1) if (wanted(i)) result.push(i)
  return result
}

// ---- pointer

function pointer(view) {
  const rowAt = (event) => {
    const box = view.main.getBoundingClientRect()
    const y = event.clientY - box.top + view.scroll.scrollTop
    return view.visible[Math.floor(y / ROW)] ?? -1
  }
  const local = (canvas, event) => event.clientX - canvas.getBoundingClientRect().left
  view.main.onpointerdown = (event) => {
    const px = local(view.main, event)
    if (Math.abs(px - view.nameWidth) < 5) view.drag = { on: "gutter" }
    else if (px > view.nameWidth) view.drag = { on: view.main, from: px, to: px }
    else return
    view.main.setPointerCapture(event.pointerId)
  }
  view.main.onpointermove = (event) => {
    const px = local(view.main, event)
    if (view.drag && view.drag.on === "gutter") {
      view.gutter = Math.min(Math.max(px / view.width, 0.15), 0.75)
      layout(view)
    } else if (view.drag) view.drag.to = px
    const nearGutter = Math.abs(px - view.nameWidth) < 5
    view.main.style.cursor = nearGutter ? "col-resize" : px > view.nameWidth ? "crosshair" : "pointer"
    view.hover = rowAt(event)
    showTip(view, event)
    schedule(view)
  }
  view.main.onpointerup = (event) => {
    const drag = view.drag
    view.drag = null
    if (drag && drag.on === "gutter") return
    if (drag && Math.abs(drag.to - drag.from) > 4) {
      zoom(view, timeAt(view, Math.min(drag.from, drag.to)), timeAt(view, Math.max(drag.from, drag.to)))
      return
    }
    click(view, rowAt(event), local(view.main, event))
  }
  view.main.ondblclick = (event) => {
    if (local(view.main, event) > view.nameWidth) zoom(view, view.from, view.to)
  }
  view.main.onpointerleave = () => { view.hover = -1; view.tip.hidden = true; schedule(view) }
  view.scroll.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) return
    event.preventDefault()
    zoomBy(view, (event.deltaY || event.deltaX) > 0 ? 1.25 : 0.8, timeAt(view, local(view.main, event)))
  }, { passive: false })
  minimapPointer(view, local)
}

function minimapPointer(view, local) {
  const time = (px) => view.from + ((px - 12) / (view.width - 24)) * (view.to - view.from)
  view.minimap.onpointerdown = (event) => {
    const px = local(view.minimap, event)
    view.drag = { on: view.minimap, from: px, to: px }
    view.minimap.setPointerCapture(event.pointerId)
  }
  view.minimap.onpointermove = (event) => {
    if (!view.drag || view.drag.on !== view.minimap) return
    view.drag.to = local(view.minimap, event)
    schedule(view)
  }
  view.minimap.onpointerup = () => {
    const drag = view.drag
    view.drag = null
    if (!drag) return
    const [left, right] = [time(Math.min(drag.from, drag.to)), time(Math.max(drag.from, drag.to))]
    if (Math.abs(drag.to - drag.from) > 4) zoom(view, left, right)
    else { // a click moves the window there
      const half = (view.right - view.left) / 2
      zoom(view, left - half, left + half)
    }
  }
  view.minimap.ondblclick = () => zoom(view, view.from, view.to)
}

function click(view, row, px) {
  view.scroll.focus({ preventScroll: true })
  if (row < 0) return
  const left = 12 + Math.min(view.data.depth[row] * INDENT, view.nameWidth / 2)
  const onCaret = px >= left - 6 && px <= left + 12
  if (view.data.members[row] || (onCaret && view.hasChildren[row])) {
    toggle(view, row)
    if (view.data.members[row]) view.selected = row
    return
  }
  select(view, row, { now: true })
}

function showTip(view, event) {
  const row = view.hover
  view.tip.hidden = row < 0 || Boolean(view.drag)
  if (view.tip.hidden) return
  const { data } = view
  const title = document.createElement("b")
  title.textContent = short(data.words[data.name[row]])
  const facts = document.createElement("span")
  facts.textContent = `${describe(view, row).split(", ").slice(1).join(" · ")} · starts at ${duration(data.start[row] - view.from)}`
  const detail = document.createElement("code")
  detail.textContent = data.words[data.detail[row]]
  view.tip.replaceChildren(title, facts, ...(detail.textContent ? [detail] : []))
  const box = view.root.getBoundingClientRect()
  const left = Math.min(event.clientX - box.left + 14, box.width - view.tip.offsetWidth - 8)
  const below = event.clientY - box.top + 18
  const above = below - view.tip.offsetHeight - 30
  view.tip.style.left = `${Math.max(left, 8)}px`
  view.tip.style.top = `${below + view.tip.offsetHeight > box.height ? above : below}px`
}

// ---- keyboard

function move(view, step) {
  const position = view.positionOf.get(view.selected) ?? -1
  const next = Math.min(Math.max(position + step, 0), view.visible.length - 1)
  reveal(view, view.visible[next], false)
  select(view, view.visible[next])
}

function left(view) {
  const row = view.selected
  if (row < 0) return
  if (view.hasChildren[row] && !view.closed[row]) toggle(view, row)
  else if (view.data.parent[row] >= 0) goTo(view, view.data.parent[row])
}

function right(view) {
  const row = view.selected
  if (row < 0) return
  if (view.closed[row]) toggle(view, row)
  else if (view.hasChildren[row]) move(view, 1)
}

const KEYS = {
  ArrowDown: (view) => move(view, 1), j: (view) => move(view, 1),
  ArrowUp: (view) => move(view, -1), k: (view) => move(view, -1),
  PageDown: (view) => move(view, 15), PageUp: (view) => move(view, -15),
  Home: (view) => move(view, -Infinity), End: (view) => move(view, Infinity),
  ArrowLeft: left, ArrowRight: right,
  Enter: (view) => (view.data.members[view.selected] ? toggle(view, view.selected) : select(view, view.selected, { now: true })),
  n: (view) => stepEvidence(view, 1), p: (view) => stepEvidence(view, -1),
  "/": (view) => view.find.focus(),
  "+": (view) => zoomBy(view, 0.7), "=": (view) => zoomBy(view, 0.7), "-": (view) => zoomBy(view, 1.4),
  "0": (view) => zoom(view, view.from, view.to),
}

function key(view, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const action = KEYS[event.key]
  event.stopPropagation() // Streamlit has shortcuts of its own
  if (!action) return
  event.preventDefault()
  action(view)
}

function findKey(view, event) {
  event.stopPropagation()
  if (event.key === "Enter") {
    event.preventDefault()
    stepMatch(view, event.shiftKey ? -1 : 1)
  }
  if (event.key === "Escape") {
    view.find.value = ""
    search(view)
    view.scroll.focus({ preventScroll: true })
  }
}
