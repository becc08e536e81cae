// Numbers in cells, and the small language of number filters: >=16, >16, <=16, <300, =24, 24, 8-16, 8..16.

const NUMBER = String.raw`(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)`
const WHOLE = new RegExp(`^${NUMBER}$`)
const COMPARE = new RegExp(`^(>=|<=|>|<|=)?${NUMBER}$`)
const RANGE = new RegExp(`^${NUMBER}(?:-|~|\\.{2,3})${NUMBER}$`)
const BEGUN = new RegExp(`^(?:>=?|<=?|=|\\.|${NUMBER}(?:[-~,.]|\\.{2,3}))$`)

const value = (text) => Number(text.replaceAll(",", ""))

/** Full-width signs and digits, ≥ ≤ and every kind of dash, as plain ASCII without spaces. */
function plain(text) {
  return text
    .normalize("NFKC")
    .replaceAll("≥", ">=")
    .replaceAll("≤", "<=")
    .replace(/[‐‑‒–—―−]/g, "-")
    .replaceAll("〜", "~")
    .replace(/\s+/g, "")
}

/** The number a cell shows, such as `1,008`, or null where it shows a dash or a word. */
export function read(text) {
  const shown = text.trim()
  return WHOLE.test(shown) ? value(shown) : null
}

/**
 * What a number filter asks for: `{ state, test }`.
 *
 * `state` is "empty", "ok", "begun" (the first half of something right, such as `>`) or "wrong".
 * Only "ok" has a `test(number)`; a missing number (null) never passes it. `exact` marks a search for one number.
 */
export function filter(text) {
  const asked = plain(text)
  if (asked === "") return { state: "empty" }
  const ok = (low, high, open = false) => ({
    state: "ok",
    test: (x) => x !== null && (open ? x > low && x < high : x >= low && x <= high),
  })
  const range = RANGE.exec(asked)
  if (range) {
    const [a, b] = [value(range[1]), value(range[2])]
    return ok(Math.min(a, b), Math.max(a, b))
  }
  const single = COMPARE.exec(asked)
  if (single) {
    const n = value(single[2])
    if (single[1] === ">=") return ok(n, Infinity)
    if (single[1] === "<=") return ok(-Infinity, n)
    if (single[1] === ">") return ok(n, Infinity, true)
    if (single[1] === "<") return ok(-Infinity, n, true)
    return { ...ok(n, n), exact: true }
  }
  return { state: BEGUN.test(asked) ? "begun" : "wrong" }
}
