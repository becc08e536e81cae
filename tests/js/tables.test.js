import assert from "node:assert/strict"
import { test } from "node:test"
import { csv, csvField, markdown, markdownCell } from "../../docs/assets/js/cards/tables.js"

test("CSV quotes what needs it and nothing else", () => {
  assert.equal(csvField("GeForce RTX 4090"), "GeForce RTX 4090")
  assert.equal(csvField(""), "")
  assert.equal(csvField("emulated, slow"), '"emulated, slow"')
  assert.equal(csvField('24" rack'), '"24"" rack"')
  assert.equal(csvField("two\nlines"), '"two\nlines"')
  assert.equal(csvField("two\r\nlines"), '"two\r\nlines"')
  assert.equal(csvField("显存（GiB）"), "显存（GiB）")
})

test("CSV disarms formulas", () => {
  assert.equal(csvField("=1+1"), "'=1+1")
  assert.equal(csvField("+cmd|' /C calc'!A0"), "'+cmd|' /C calc'!A0")
  assert.equal(csvField("-2+3"), "'-2+3")
  assert.equal(csvField("@SUM(A1)"), "'@SUM(A1)")
  assert.equal(csvField('=HYPERLINK("http://x","y")'), `"'=HYPERLINK(""http://x"",""y"")"`)
  assert.equal(csvField("\t=1"), "'\t=1")
  assert.equal(csvField("＝1+1"), "'＝1+1")
  assert.equal(csvField("-"), "'-")
})

test("CSV leaves numbers alone", () => {
  for (const text of ["-1", "+5", "-0.5", "-.5", "1008", "0.277"]) assert.equal(csvField(text), text)
  for (const text of ["-1-1", "+1e5x", "-1,5"]) assert.match(csvField(text), /^"?'/)
  assert.equal(csvField("—"), "—") // a dash of the table, not a minus
})

test("CSV rows end with CRLF", () => {
  assert.equal(csv([["a", "b"], ["1", "x,y"]]), 'a,b\r\n1,"x,y"\r\n')
  assert.equal(csv([]), "")
})

test("Markdown", () => {
  assert.equal(
    markdown([["Card", "Memory (GiB)"], ["RTX 4090", "24"], ["a|b", "—"]], [false, true]),
    "| Card | Memory (GiB) |\n| --- | ---: |\n| RTX 4090 | 24 |\n| a\\|b | — |\n",
  )
})

test("Markdown cells cannot leave their cell", () => {
  assert.equal(markdownCell("a|b"), "a\\|b")
  assert.equal(markdownCell("a\\|b"), "a\\\\\\|b")
  assert.equal(markdownCell("a\nb\r\n\tc"), "a b c")
  assert.equal(markdownCell("<script>"), "\\<script>")
  assert.equal(markdownCell("`x`"), "\\`x\\`")
})
