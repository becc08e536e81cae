// Sorting: what is missing comes last in both directions, equals keep their order.

/**
 * The indices of `keys` in order. A key is a number, a string, or null where there is none;
 * `compare` puts two keys in ascending order.
 */
export function order(keys, descending, compare) {
  const sign = descending ? -1 : 1
  return keys
    .map((_, index) => index)
    .sort((a, b) => {
      const [x, y] = [keys[a], keys[b]]
      if (x === null || y === null) return (x === null) - (y === null) || a - b
      return sign * compare(x, y) || a - b
    })
}

export const byNumber = (x, y) => x - y

/** ISO dates and other codes: by character. */
export const byCode = (x, y) => (x < y ? -1 : x > y ? 1 : 0)

/** Words in the order of a language; digits within them count as numbers, so that 1080 follows 970. */
export function byWords(language) {
  return new Intl.Collator(language, { numeric: true, sensitivity: "base" }).compare
}
