// A table of strings, the first row its head, as text for spreadsheets and for chats.

const PLAIN_NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)$/

/** One CSV field. What a spreadsheet would run as a formula gets an apostrophe in front. */
export function csvField(text) {
  const safe = /^[=+\-@\t\r＝＋－＠]/.test(text) && !PLAIN_NUMBER.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** RFC 4180: commas, CRLF after each row. */
export function csv(rows) {
  return rows.map((row) => `${row.map(csvField).join(",")}\r\n`).join("")
}

/** One cell of a Markdown table. */
export function markdownCell(text) {
  return text.replace(/[\\|<`]/g, "\\$&").replace(/\s+/g, " ").trim()
}

/** A Markdown table; `right[i]` says whether column i is set to the right. */
export function markdown(rows, right = []) {
  const line = (cells) => `| ${cells.join(" | ")} |\n`
  const [head, ...body] = rows.map((row) => row.map(markdownCell))
  return line(head) + line(head.map((_, i) => (right[i] ? "---:" : "---"))) + body.map(line).join("")
}
