// Words as readers type them.

/** Case, spaces, hyphens and full-width letters do not count: "RTX 4090", "rtx-4090" and "ｒｔｘ4090" are one. */
export function fold(text) {
  return text.normalize("NFKC").toLowerCase().replace(/[\s\-‐‑–—_·]+/g, "")
}

/** Whether every word of `query` is in `folded`, a name that went through fold(). */
export function matches(query, folded) {
  return query.split(/\s+/).every((word) => folded.includes(fold(word)))
}

/** At most `length` characters, and a sign that there was more. */
export function cut(text, length = 40) {
  const characters = [...text.slice(0, 2 * length + 2)]
  return characters.length > length ? `${characters.slice(0, length).join("")}…` : characters.join("")
}
