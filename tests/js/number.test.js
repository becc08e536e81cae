import assert from "node:assert/strict"
import { test } from "node:test"
import { filter, read } from "../../docs/assets/js/cards/number.js"

const passes = (text, ...numbers) => numbers.map((n) => filter(text).test(n))

test("comparisons", () => {
  const around = [15.9, 16, 16.1]
  assert.deepEqual(passes(">=16", ...around), [false, true, true])
  assert.deepEqual(passes(">16", ...around), [false, false, true])
  assert.deepEqual(passes("<=16", ...around), [true, true, false])
  assert.deepEqual(passes("<16", ...around), [true, false, false])
  assert.deepEqual(passes("=16", ...around), [false, true, false])
  assert.deepEqual(passes("16", ...around), [false, true, false])
})

test("ranges hold both ends, in either order", () => {
  const around = [7.9, 8, 12, 16, 16.1]
  for (const text of ["8-16", "8..16", "8...16", "8~16", "8–16", "8—16", "8−16", "８－１６", "8〜16", "8～16", "16-8", " 8 - 16 "]) {
    assert.deepEqual(passes(text, ...around), [false, true, true, true, false], text)
  }
  assert.deepEqual(passes("0.5-.75", 0.4, 0.5, 0.75, 1), [false, true, true, false])
})

test("full-width and mathematical signs, and spaces anywhere", () => {
  for (const text of ["＞＝16", "≥16", "> = 16", " >= 16 ", "＞＝　１６", ">=16.0", ">=16"]) {
    assert.deepEqual(passes(text, 15, 16), [false, true], text)
  }
  for (const text of ["＜＝300", "≤300", "<= 300", "≤　３００"]) assert.deepEqual(passes(text, 300, 301), [true, false], text)
  for (const text of ["＜300", "< 300"]) assert.deepEqual(passes(text, 299, 300), [true, false], text)
  assert.deepEqual(passes("＝24", 23, 24), [false, true])
})

test("thousands and fractions", () => {
  assert.deepEqual(passes(">=1,008", 1007, 1008), [false, true])
  assert.deepEqual(passes("1,000-2,000", 999, 1000, 2000), [false, true, true])
  assert.deepEqual(passes("1,234,567", 1234567), [true])
  assert.deepEqual(passes(">.5", 0.5, 0.6), [false, true])
})

test("a missing number passes nothing", () => {
  for (const text of [">=0", "<=99999", "0", "<1", "0-9"]) assert.equal(filter(text).test(null), false, text)
})

test("empty, begun and wrong", () => {
  for (const text of ["", " ", "　", "\t\n"]) assert.equal(filter(text).state, "empty", JSON.stringify(text))
  for (const text of [">", ">=", "<", "<=", "=", "≥", "＞", "8-", "8..", "8...", "8.", "1,", "8~", "."]) assert.equal(filter(text).state, "begun", text)
  for (const text of [
    "abc", "16 GB", ">=", "=>16", "==16", ">>16", "> >16", "16-", "-5", "--", "8-16-24", "8..", ">8-16", "1,00", "1.2.3", "1e3",
    "0x10", "NaN", "Infinity", "<img src=x onerror=alert(1)>", "<script>", "'; drop", "＞十六", "½", "8 || 1", "__proto__",
  ]) {
    assert.notEqual(filter(text).state, "ok", text)
    assert.equal(filter(text).test, undefined, text)
  }
  for (const text of ["abc", "16 GB", "=>16", "-5", "1e3", "<img src=x>", "8-16-24", "1,00"]) assert.equal(filter(text).state, "wrong", text)
})

test("only the search for one number is exact", () => {
  assert.equal(filter("24").exact, true)
  assert.equal(filter("=24").exact, true)
  for (const text of [">=24", "<24", "24-24"]) assert.ok(!filter(text).exact, text)
})

test("long nonsense takes no time", () => {
  const start = performance.now()
  for (const text of ["1".repeat(20000), "1,".repeat(10000), ">".repeat(10000), "1-".repeat(10000), " ".repeat(20000) + "x", "1,111".repeat(5000)]) filter(text)
  assert.ok(performance.now() - start < 500)
})

test("reading cells", () => {
  const cells = { "24": 24, "1,008": 1008, "0.277": 0.277, " 8 ": 8, "12,345.6": 12345.6, "0": 0 }
  for (const [text, number] of Object.entries(cells)) assert.equal(read(text), number, text)
  for (const text of ["—", "", "none", "not supported", "emulated, slow", "不支持", "4.0 ×16", "24 GB", "1e3", "-", "Infinity"]) {
    assert.equal(read(text), null, text)
  }
})
