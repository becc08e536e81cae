import assert from "node:assert/strict"
import { test } from "node:test"
import { format, parse, untouched } from "../../docs/assets/js/cards/address.js"

const spec = {
  numbers: ["memory", "tdp", "msrp"],
  choices: { market: ["geforce", "laptop"], series: ["geforce-30"], generation: ["Ampere", "Ada Lovelace"], format: ["bf16", "fp8"] },
  columns: ["market", "cc", "launch", "memory", "bandwidth", "fp64", "tdp", "msrp"],
  usual: ["launch", "memory", "bandwidth", "tdp", "msrp"],
}
const state = (changes) => ({ ...untouched(), ...changes })
const read = (search) => parse(search, spec).state
const ignored = (search) => parse(search, spec).ignored

test("nothing asked, nothing changed", () => {
  for (const search of ["", "?", "?&&", "?=", "?memory=", "?sort=", "?cols=", "?name=++"]) {
    assert.deepEqual(parse(search, spec), { state: untouched(), ignored: [] }, search)
  }
  assert.equal(format(untouched(), spec), "")
})

test("links of other pages", () => {
  assert.deepEqual(read("?memory=%3E%3D16&sort=msrp"), state({ numbers: { memory: ">=16" }, sort: { column: "msrp", descending: false } }))
  assert.deepEqual(read("?memory=>=16&sort=-memory"), state({ numbers: { memory: ">=16" }, sort: { column: "memory", descending: true } }))
})

test("every part there and back", () => {
  const full = state({
    name: "rtx ti & co=+%",
    numbers: { memory: ">=16", tdp: "<300", msrp: "8..16" },
    choices: { market: "geforce", series: "geforce-30", generation: "Ada Lovelace", format: "fp8" },
    sort: { column: "cc", descending: true },
    cols: ["market", "memory"],
  })
  assert.deepEqual(parse(format(full, spec), spec), { state: full, ignored: [] })
})

test("plain words in the address", () => {
  assert.equal(format(state({ name: "rtx 4090" }), spec), "?name=rtx+4090")
  assert.equal(format(state({ cols: ["memory", "tdp"] }), spec), "?cols=memory,tdp")
  assert.equal(format(state({ cols: ["tdp", "memory"] }), spec), "?cols=memory,tdp")
  assert.equal(format(state({ numbers: { memory: ">=16" } }), spec), "?memory=%3E=16")
  assert.equal(format(state({ numbers: { memory: "  " } }), spec), "")
  assert.equal(format(state({ sort: { column: "msrp", descending: false } }), spec), "?sort=msrp")
})

test("usual columns are left out, all and none have a word", () => {
  assert.equal(format(state({ cols: ["tdp", "msrp", "launch", "memory", "bandwidth"] }), spec), "")
  assert.equal(format(state({ cols: [...spec.columns] }), spec), "?cols=all")
  assert.equal(format(state({ cols: [] }), spec), "?cols=name")
  assert.deepEqual(read("?cols=all").cols, spec.columns)
  assert.deepEqual(read("?cols=name").cols, [])
  assert.deepEqual(read("?cols=name,memory").cols, ["memory"])
  assert.deepEqual(read("?cols=tdp,memory,tdp").cols, ["memory", "tdp"])
})

test("a column sorted by is shown unless the columns are named", () => {
  assert.deepEqual(read("?sort=-fp64").cols, ["launch", "memory", "bandwidth", "fp64", "tdp", "msrp"])
  assert.deepEqual(read("?sort=-fp64&cols=memory").cols, ["memory"])
  assert.equal(read("?sort=name").cols, null)
  assert.equal(read("?sort=-memory").cols, null)
})

test("choices forgive case, spaces and hyphens", () => {
  assert.equal(read("?generation=ada-lovelace").choices.generation, "Ada Lovelace")
  assert.equal(read("?format=FP8").choices.format, "fp8")
  assert.equal(read("?series=GeForce+30").choices.series, "geforce-30")
})

test("nonsense is ignored and told, cut short", () => {
  assert.deepEqual(ignored("?sort=foo"), ["sort=foo"])
  assert.deepEqual(ignored("?sort=--memory"), ["sort=--memory"])
  assert.deepEqual(ignored("?market=moon&format=fp3"), ["market=moon", "format=fp3"])
  assert.deepEqual(ignored("?cols=memory,foo,bar"), ["cols=foo,bar"])
  assert.deepEqual(read("?cols=memory,foo").cols, ["memory"])
  assert.equal(read("?cols=foo").cols, null)
  const [told] = ignored(`?sort=${"x".repeat(10000)}`)
  assert.equal([...told].length, 41)
  assert.equal(ignored(`?cols=${"x,".repeat(10000)}`).length, 1)
})

test("unknown keys are dropped, also those of the theme", () => {
  const { state: found, ignored: told } = parse("?q=4090&h=x&utm_source=y&__proto__=1&constructor=2&toString=3&sort=msrp", spec)
  assert.deepEqual(told, [])
  assert.equal(format(found, spec), "?sort=msrp")
})

test("names of inherited properties are not columns", () => {
  for (const word of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
    assert.equal(read(`?sort=${word}`).sort, null)
    assert.equal(read(`?cols=${word}`).cols, null)
    assert.deepEqual(read(`?market=${word}`).choices, {})
  }
})

test("a wrong number filter stays for the reader to mend, cut short", () => {
  assert.equal(read("?memory=lots").numbers.memory, "lots")
  assert.equal(read(`?memory=${"9".repeat(10000)}`).numbers.memory.length, 40)
  assert.equal(read(`?name=${"9".repeat(10000)}`).name.length, 40)
})

test("broken encodings and repeated keys", () => {
  assert.doesNotThrow(() => parse("?name=%E0%A4%A&memory=%&sort=%zz", spec))
  assert.equal(read("?memory=8&memory=16").numbers.memory, "8")
  assert.doesNotThrow(() => format(state({ name: "\uD800" }), spec))
})
