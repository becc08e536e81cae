// The table of all cards: sorting, filters, choice of columns, state in the address, copying.
// The table itself is in the page; without this module it stands there in full.
import { format, parse, untouched } from "../cards/address.js"
import { filter, read } from "../cards/number.js"
import { byCode, byNumber, byWords, order } from "../cards/order.js"
import { csv, markdown } from "../cards/tables.js"
import { cut, fold, matches } from "../cards/text.js"

const DASH = "—"
const DONE_MS = 2000 // how long a button says "copied"
const ADDRESS_MS = 150 // browsers refuse too many changes of the address in a short time

export default function cards(form) {
  const table = document.getElementById("cards")
  const view = readTable(table)
  const fields = readFields(form)
  const spec = {
    numbers: [...fields.numbers.keys()],
    choices: Object.fromEntries([...fields.choices].map(([key, select]) => [key, values(select)])),
    columns: view.columns.slice(1).map(({ id }) => id),
    usual: view.columns.slice(1).filter(({ usual }) => usual).map(({ id }) => id),
  }
  let state = untouched()

  const everything = document.getElementById("all-columns")
  if (everything) {
    everything.checked = false // a browser may have kept it from a visit without scripts
    everything.closest(".gfg-noscript").hidden = true
  }

  // ── The page follows the state ──

  function showAll() {
    fields.name.value = state.name
    for (const [key, input] of fields.numbers) input.value = state.numbers[key] ?? ""
    for (const [key, select] of fields.choices) select.value = state.choices[key] ?? ""
    showColumns()
    showOrder()
    showRows(true)
  }

  function showRows(finished) {
    const wrong = []
    const tests = []
    for (const [key, input] of fields.numbers) {
      const asked = filter(state.numbers[key] ?? "")
      const bad = asked.state === "wrong" || (asked.state === "begun" && finished)
      if (bad) wrong.push(cut(state.numbers[key].trim()))
      if (bad) input.setAttribute("aria-invalid", "true")
      else input.removeAttribute("aria-invalid")
      if (asked.state === "ok") {
        const { raw, shown } = view.numbers(key) // "=1008" finds 1,008, whatever was rounded away
        tests.push((i) => asked.test(raw[i]) || (asked.exact && asked.test(shown[i])))
      }
    }
    for (const [key, select] of fields.choices) {
      const wanted = state.choices[key]
      if (!wanted) continue
      if (select.name === "format") tests.push((i) => view.rows[i].dataset.format.split(" ").includes(wanted))
      else tests.push((i) => view.rows[i].dataset[key] === wanted)
    }
    if (state.name.trim()) tests.push((i) => matches(state.name.trim(), view.names[i]))
    let shown = 0
    view.rows.forEach((row, i) => {
      const pass = tests.every((test) => test(i))
      row.hidden = !pass
      shown += pass
    })
    say(fields.count, fill(fields.count.dataset.template, { shown, total: view.rows.length }))
    const active = [...fields.numbers.keys(), ...fields.choices.keys()].filter((key) => (state.numbers[key] ?? state.choices[key] ?? "").trim())
    fields.active.textContent = active.length ? ` (${active.length})` : ""
    const { problem } = fields
    say(problem, wrong.map((text) => fill(problem.dataset.template, { text })).join(" "))
    problem.hidden = wrong.length === 0
  }

  function showOrder() {
    for (const { id, th } of view.columns) {
      if (state.sort?.column === id) th.setAttribute("aria-sort", state.sort.descending ? "descending" : "ascending")
      else th.removeAttribute("aria-sort")
    }
    table.tBodies[0].append(...view.ordered(state.sort))
  }

  function showColumns() {
    const wanted = new Set(state.cols ?? spec.usual)
    for (const box of fields.columns) box.checked = wanted.has(box.value)
    view.show(wanted)
  }

  // ── The address follows the state, and the state the address ──

  let timer = 0
  function keep() {
    clearTimeout(timer)
    timer = setTimeout(write, ADDRESS_MS)
  }

  function write() {
    clearTimeout(timer)
    timer = 0
    const search = format(state, spec)
    if (search !== location.search) {
      history.replaceState(history.state, "", location.pathname + search + location.hash)
    }
    carry(search)
  }

  /** The same table in the other language. */
  function carry(search) {
    for (const link of document.querySelectorAll("a[data-gfg-language], [data-gfg-offer] a")) link.search = search
  }

  function open() {
    const asked = parse(location.search, spec)
    state = asked.state
    showAll()
    say(fields.ignored, asked.ignored.length ? fill(fields.ignored.dataset.template, { text: asked.ignored.join(" · ") }) : "")
    carry(format(state, spec))
  }

  // ── The state follows the reader ──

  function change(finished) {
    state.name = fields.name.value
    for (const [key, input] of fields.numbers) state.numbers[key] = input.value
    for (const [key, select] of fields.choices) state.choices[key] = select.value
    say(fields.ignored, "")
    showRows(finished)
    if (!finished) view.top() // not when a field is left: that may be a click on the table
    keep()
  }

  function choose(cols) {
    state.cols = cols
    showColumns()
    keep()
  }

  const isField = ({ target }) => target.name && target.name !== "cols"
  form.addEventListener("input", (event) => isField(event) && change(false))
  form.addEventListener("change", (event) => {
    if (isField(event)) change(true)
    else choose(fields.columns.filter(({ checked }) => checked).map(({ value }) => value))
  })
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    change(true)
  })
  form.addEventListener("reset", (event) => {
    event.preventDefault() // the columns are the reader's choice and stay
    state = { ...untouched(), cols: state.cols }
    showAll()
    say(fields.ignored, "")
    view.top()
    keep()
  })
  form.querySelector("[data-columns=all]")?.addEventListener("click", () => choose([...spec.columns]))
  form.querySelector("[data-columns=usual]")?.addEventListener("click", () => choose(null))
  addEventListener("popstate", open)
  addEventListener("pagehide", () => timer && write())

  for (const column of view.columns) {
    const button = headerButton(column.th)
    button.addEventListener("click", () => {
      const again = state.sort?.column === column.id
      const descending = again ? !state.sort.descending : column.descendingFirst
      state.sort = { column: column.id, descending }
      showOrder()
      view.top()
      keep()
    })
  }

  // ── Taking it away ──

  const shownRows = () => [...table.tBodies[0].rows].filter(({ hidden }) => !hidden)
  const head = () => view.shown().map(({ label, unit }) => (unit ? `${label} (${unit})` : label))
  const body = (text) => shownRows().map((row) => [...row.cells].map(text))
  const asText = {
    csv: () => csv([head(), ...body(plainCell)]),
    markdown: () => markdown([head(), ...body(shownCell)], view.shown().map(({ kind }) => kind === "number")),
  }
  for (const button of form.querySelectorAll("button[data-copy]")) {
    const done = sayDone(button, fields.said)
    button.addEventListener("click", async () => {
      if (await copy(asText[button.dataset.copy](), button)) done()
    })
  }
  form.querySelector("button[data-download]")?.addEventListener("click", ({ currentTarget }) => {
    download("gpus.csv", "text/csv;charset=utf-8", `\uFEFF${asText[currentTarget.dataset.download]()}`)
  })

  open()
  // On a phone the table comes first; how many filters are set stands beside the closed fold.
  if (matchMedia("(max-width: 45em)").matches) fields.more.open = !fields.problem.hidden
  form.hidden = false
}

/** The table as it came: its columns, rows and what can be asked of them. Cells are read when first needed. */
function readTable(table) {
  const columns = [...table.tHead.rows[0].cells].map((th, index) => {
    const { col: id, kind, unit, better } = th.dataset
    const label = [...th.childNodes].filter((node) => !node.classList?.contains("gfg-unit"))
    return {
      id, kind, unit, index, th,
      label: label.map((node) => node.textContent).join("").trim(),
      usual: !th.classList.contains("x"),
      // The better end first; of dates the newest.
      descendingFirst: kind === "date" || (kind === "number" && better !== "low"),
    }
  })
  const head = table.tHead.rows[0]
  const rows = [...table.tBodies[0].rows]
  const cells = rows.map((row) => [...row.cells])
  const index = new Map(columns.map((column) => [column.id, column.index]))
  const names = rows.map((row) => `${fold(row.cells[0].textContent)} ${fold(row.dataset.slug)}`)
  const scroller = table.closest(".gfg-scroll")
  const words = byWords(document.documentElement.lang || "en")
  const known = new Map()

  function once(id, make) {
    if (!known.has(id)) known.set(id, make(cells.map((row) => row[index.get(id)])))
    return known.get(id)
  }
  function numbers(id) {
    return once(id, (own) => {
      const shown = own.map((cell) => read(cell.textContent))
      return { raw: own.map((cell, i) => (cell.dataset.v === undefined ? shown[i] : Number(cell.dataset.v))), shown }
    })
  }
  function strings(id) {
    return once(id, (own) => own.map(shownCell).map((text) => (text === DASH ? null : text || null)))
  }
  function ordered(sort) {
    if (!sort) return rows
    const { kind } = columns[index.get(sort.column)]
    const places =
      kind === "number"
        ? order(numbers(sort.column).raw, sort.descending, byNumber)
        : order(strings(sort.column), sort.descending, kind === "date" ? byCode : words)
    return places.map((place) => rows[place])
  }
  /** Only shown columns stay in the page: most of the time of a sort goes into cells nobody sees. */
  function show(wanted) {
    for (const column of columns) {
      const hide = column.index > 0 && !wanted.has(column.id)
      if (hide === column.hidden) continue
      column.hidden = hide
      column.th.classList.toggle("x", hide)
      for (const row of cells) row[column.index].classList.toggle("x", hide)
    }
    const own = shown()
    head.replaceChildren(...own.map(({ th }) => th))
    rows.forEach((row, i) => row.replaceChildren(...own.map((column) => cells[i][column.index])))
  }
  const shown = () => columns.filter(({ hidden }) => !hidden)
  const top = () => {
    scroller.scrollTop = 0
  }
  return { columns, rows, names, numbers, ordered, show, shown, top }
}

function readFields(form) {
  const more = form.querySelector(".gfg-filter-more")
  const active = document.createElement("span")
  more.querySelector("summary").append(active)
  const named = (selector) => new Map([...form.querySelectorAll(selector)].map((field) => [field.name, field]))
  return {
    name: form.querySelector("input[name=name]"),
    numbers: named("input[type=text]"),
    choices: named("select"),
    columns: [...form.querySelectorAll("input[name=cols]")],
    more,
    active,
    count: form.querySelector(".gfg-count"),
    problem: form.querySelector(".gfg-filter-problem"),
    ignored: form.querySelector(".gfg-filter-ignored"),
    said: form.querySelector(".gfg-filter-said"),
  }
}

const values = (select) => [...select.options].map(({ value }) => value).filter(Boolean)

const fill = (template, words) => template.replace(/\{(\w+)\}/g, (_, key) => words[key])

/** Text into a live region; the same text is not said twice. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text
}

/** Turn the text of a header cell into a button. */
function headerButton(th) {
  const button = document.createElement("button")
  button.type = "button"
  const label = document.createElement("span")
  const unit = th.querySelector(".gfg-unit")
  label.className = "gfg-sort"
  label.append(...[...th.childNodes].filter((node) => node !== unit))
  label.normalize()
  label.lastChild.data = label.lastChild.data.trimEnd()
  button.append(label)
  if (unit) button.append(" ", unit)
  th.replaceChildren(button)
  return button
}

const shownCell = (cell) => cell.textContent.trim()

/** What a cell holds for a spreadsheet: the raw number, nothing where nothing is known. */
function plainCell(cell) {
  const text = shownCell(cell)
  if (cell.dataset.v !== undefined) return String(Number(cell.dataset.v))
  return text === DASH ? "" : text
}

/** Let a button say its data-done for a moment, and tell those who cannot see it. */
function sayDone(button, said) {
  const usual = button.textContent
  let timer = 0
  return () => {
    clearTimeout(timer)
    button.textContent = button.dataset.done
    say(said, button.dataset.done)
    timer = setTimeout(() => {
      button.textContent = usual
      say(said, "")
    }, DONE_MS)
  }
}

/** Put text on the clipboard; where the browser refuses, show it selected, ready for the reader's own copy. */
async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const box = document.createElement("textarea")
    box.className = "gfg-filter-text"
    box.readOnly = true
    box.value = text
    box.setAttribute("aria-label", button.textContent)
    button.closest("form").querySelector(".gfg-filter-text")?.remove()
    button.parentElement.after(box)
    box.select()
    if (!document.execCommand("copy")) return false
    box.remove()
    button.focus()
    return true
  }
}

function download(name, type, text) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(new Blob([text], { type }))
  link.download = name
  document.body.append(link)
  link.click()
  link.remove()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
