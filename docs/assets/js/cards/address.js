// The state of the table in the query string, in plain words: ?name=ti&memory=>=16&sort=-memory&cols=memory,tdp
// (`q` is not ours: the theme opens its search with it.)
import { cut, fold } from "./text.js"

const LONGEST = 40

/** The state of a table nobody has touched. `cols: null` are the usual columns. */
export function untouched() {
  return { name: "", numbers: {}, choices: {}, sort: null, cols: null }
}

/**
 * The state a query string asks for: `{ state, ignored }`, where `ignored` are the parts that make no sense.
 *
 * `spec` says what there is: `numbers` (names of number filters), `choices` (name → values), `columns` and `usual`
 * (ids of columns, without the card's own name, which always stands). Keys it does not name are left out.
 */
export function parse(search, spec) {
  const params = new URLSearchParams(search)
  const state = untouched()
  const ignored = []
  const get = (key) => (params.get(key) ?? "").trim()
  const ignore = (key, text) => ignored.push(cut(`${key}=${text}`, LONGEST))

  state.name = [...get("name").slice(0, 4 * LONGEST)].slice(0, LONGEST).join("")
  for (const key of spec.numbers) {
    // A wrong expression is shown where the reader can mend it, so it is not ignored here.
    const text = get(key)
    if (text) state.numbers[key] = text.slice(0, LONGEST)
  }
  for (const [key, values] of Object.entries(spec.choices)) {
    const text = get(key)
    if (!text) continue
    const wanted = fold(text.slice(0, 4 * LONGEST))
    const known = values.find((value) => fold(value) === wanted)
    if (known === undefined) ignore(key, text)
    else state.choices[key] = known
  }

  const sort = get("sort")
  if (sort) {
    const descending = /^[-−]/.test(sort)
    const column = descending ? sort.slice(1) : sort
    if (column === "name" || spec.columns.includes(column)) state.sort = { column, descending }
    else ignore("sort", sort)
  }

  const cols = get("cols")
  if (cols === "all") state.cols = [...spec.columns]
  else if (cols) {
    const asked = cols.slice(0, 2000).split(",").map((id) => id.trim()).filter(Boolean)
    const unknown = asked.filter((id) => id !== "name" && !spec.columns.includes(id))
    const shown = spec.columns.filter((id) => asked.includes(id))
    if (shown.length || asked.includes("name")) state.cols = shown
    if (unknown.length) ignore("cols", unknown.join(","))
  } else if (state.sort && state.sort.column !== "name" && !spec.usual.includes(state.sort.column)) {
    // Who sorts by a column wants to see it.
    state.cols = spec.columns.filter((id) => spec.usual.includes(id) || id === state.sort.column)
  }
  return { state, ignored }
}

/** The query string of a state: "" or "?…". What is as usual is left out. */
export function format(state, spec) {
  const parts = []
  const put = (key, text) => {
    const safe = new URLSearchParams([[key, text]]).toString()
    parts.push(safe.replaceAll("%2C", ",").replaceAll("%3D", "="))
  }
  if (state.name.trim()) put("name", state.name.trim())
  for (const key of spec.numbers) if (state.numbers[key]?.trim()) put(key, state.numbers[key].trim())
  for (const key of Object.keys(spec.choices)) if (state.choices[key]) put(key, state.choices[key])
  if (state.sort) put("sort", (state.sort.descending ? "-" : "") + state.sort.column)
  if (state.cols) {
    const shown = spec.columns.filter((id) => state.cols.includes(id))
    if (shown.length === spec.columns.length) put("cols", "all")
    else if (shown.join() !== spec.columns.filter((id) => spec.usual.includes(id)).join()) put("cols", shown.join(",") || "name")
  }
  return parts.length ? `?${parts.join("&")}` : ""
}
