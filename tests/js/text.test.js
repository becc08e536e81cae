import assert from "node:assert/strict"
import { test } from "node:test"
import { cut, fold, matches } from "../../docs/assets/js/cards/text.js"

const name = (text) => fold(text)

test("spaces, case, hyphens and width do not count", () => {
  for (const query of ["rtx4090", "RTX 4090", "rtx-4090", "4090", "geforce 4090", "4090 geforce", "ｒｔｘ４０９０", " 4090 ", "RTX‑4090", "GeForceRTX4090"]) {
    assert.ok(matches(query, name("GeForce RTX 4090")), query)
  }
  for (const query of ["4080", "rtx 4090 ti", "40900", "a4090"]) assert.ok(!matches(query, name("GeForce RTX 4090")), query)
})

test("several words must all be there", () => {
  assert.ok(matches("3060 12", name("GeForce RTX 3060 12GB")))
  assert.ok(!matches("3060 8", name("GeForce RTX 3060 12GB")))
  assert.ok(matches("a100 80gb sxm", name("A100 SXM4 80GB")))
})

test("nothing, and only signs, match all", () => {
  for (const query of ["", " ", "-", "- -"]) assert.ok(matches(query, name("H100 PCIe")), JSON.stringify(query))
})

test("queries are words, not patterns", () => {
  for (const query of [".*", "[", "(", "\\", "<script>", "$&"]) assert.ok(!matches(query, name("H100 PCIe")), query)
})

test("cutting", () => {
  assert.equal(cut("short"), "short")
  assert.equal(cut("x".repeat(40)), "x".repeat(40))
  assert.equal(cut("x".repeat(41)), `${"x".repeat(40)}…`)
  assert.equal(cut("卡".repeat(10000)), `${"卡".repeat(40)}…`)
  assert.equal(cut("😀".repeat(41)), `${"😀".repeat(40)}…`)
  assert.equal(cut("abc", 2), "ab…")
})
