import assert from "node:assert/strict"
import { test } from "node:test"
import { byCode, byNumber, byWords, order } from "../../docs/assets/js/cards/order.js"

const sorted = (keys, descending, compare) => order(keys, descending, compare).map((i) => keys[i])

test("numbers as numbers, missing last both ways", () => {
  const keys = [24, null, 8, 100, null, 0]
  assert.deepEqual(sorted(keys, false, byNumber), [0, 8, 24, 100, null, null])
  assert.deepEqual(sorted(keys, true, byNumber), [100, 24, 8, 0, null, null])
})

test("equals keep their order both ways", () => {
  const keys = [8, 24, 8, null, 24, null, 8]
  assert.deepEqual(order(keys, false, byNumber), [0, 2, 6, 1, 4, 3, 5])
  assert.deepEqual(order(keys, true, byNumber), [1, 4, 0, 2, 6, 3, 5])
})

test("nothing and nothing but missing", () => {
  assert.deepEqual(order([], true, byNumber), [])
  assert.deepEqual(order([null, null, null], true, byNumber), [0, 1, 2])
  assert.deepEqual(order([null, null, null], false, byCode), [0, 1, 2])
})

test("dates by their text", () => {
  const keys = ["2025-01-30", null, "2016-05-27", "2020-09-24"]
  assert.deepEqual(sorted(keys, false, byCode), ["2016-05-27", "2020-09-24", "2025-01-30", null])
  assert.deepEqual(sorted(keys, true, byCode), ["2025-01-30", "2020-09-24", "2016-05-27", null])
})

test("words with digits as numbers, without regard to case", () => {
  const keys = ["GTX 1080", "gtx 970", null, "GTX 1060 6GB", "GTX 1060 3GB"]
  assert.deepEqual(sorted(keys, false, byWords("en")), ["gtx 970", "GTX 1060 3GB", "GTX 1060 6GB", "GTX 1080", null])
  assert.deepEqual(sorted(["桌面", "笔记本", null, "工作站"], false, byWords("zh-Hans")), ["笔记本", "工作站", "桌面", null])
})

test("the input is left alone", () => {
  const keys = Object.freeze([3, 1, 2])
  assert.deepEqual(order(keys, false, byNumber), [1, 2, 0])
})
