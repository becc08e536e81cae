import assert from "node:assert/strict"
import { test } from "node:test"
import {
  ask, CannotEstimate, capacity, memory, names, QuestionError, rank, speed, unpack,
} from "../../docs/assets/js/estimate/estimate.js"

/** The problems of a question that is refused, by option. */
function problems(...asked) {
  try {
    ask(...asked)
  } catch (error) {
    assert.ok(error instanceof QuestionError, error.stack)
    assert.equal(error.message, error.problems.map(({ text }) => text).join("\n"))
    return Object.fromEntries(error.problems.map((problem) => [problem.option, problem]))
  }
  return assert.fail("nothing was wrong")
}

// A model and a card of which only errors are asked: the numbers do not matter.
const decoder = { slug: "some", numbers: { max_context: 4096 }, adapters: { q_proj: [0, 0, 0, 0, 0, 0, 0] } }
const encoder = { slug: "other", numbers: {}, adapters: null }
const card = { slug: "card", numbers: {}, training: {}, inference: {}, unpublished: ["tensor_bf16_fp32acc"] }
const cannot = (code) => (error) => error instanceof CannotEstimate && error.code === code && error.message.length > 9

test("an option that does not exist is refused with all that do", () => {
  const { sequense: wrong } = problems("training", { method: "lora", sequense: 10 })
  assert.match(wrong.text, /^sequense: there is no such option; expected method, sequence, micro_batch, /)
  assert.deepEqual(wrong.value, 10)
  assert.ok(problems("inference", { method: "lora" }).method, "an option of the other kind")
})

test("a choice that does not exist is refused with all that do", () => {
  const { attention } = problems("training", { method: "full", attention: "fast" })
  assert.equal(attention.text, `attention: 'fast' is not known; expected ${names("attention").join(", ")}`)
  assert.deepEqual(attention.expected, names("attention"))
  assert.match(problems("training", {}).method.text, /^method: is missing; expected full, lora, qlora$/)
  assert.match(problems("running", {}).kind.text, /expected training, inference/)
  assert.match(problems("training", { method: "full" }, { meter: "nvidia-smi" }).meter.text, /allocated, reserved, device/)
})

test("names that every object has are no choices and no options", () => {
  for (const odd of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
    assert.ok(problems("training", { method: odd }).method)
    assert.ok(problems("training", JSON.parse(`{"method": "full", "${odd}": 1}`))[odd])
    assert.ok(problems(odd, {}).kind)
  }
})

test("values of the wrong type or size are refused", () => {
  for (const value of [0, -1, 1.5, NaN, Infinity, "2048", [2048], {}, true, 1e9]) {
    assert.match(problems("training", { method: "full", sequence: value }).sequence.text, /expected 1 to 10,000,000$/)
  }
  assert.ok(problems("inference", { weight_bits: 33 }).weight_bits)
  assert.equal(ask("inference", { weight_bits: 2.55 }).work.weight_bits, 2.55)
  assert.ok(problems("training", { method: "lora", targets: "q_proj" }).targets)
  assert.ok(problems("training", { method: "lora", clears_cache: "no" }).clears_cache)
  assert.ok(problems("training", { method: "lora", trainable: -1 }).trainable)
  assert.ok(problems("training", { method: ["full"] }).method)
  const long = problems("training", { method: "x".repeat(1000) }).method.text
  assert.ok(long.length < 120, long)
})

test("everything that is wrong is said at once", () => {
  const found = problems("training", { method: "full", sequence: 0, optimizer: "adam" }, { gpus: 0 })
  assert.deepEqual(Object.keys(found).sort(), ["gpus", "optimizer", "sequence"])
})

test("GPUs that cannot share the work are refused", () => {
  const full = { method: "full" }
  assert.match(problems("training", full, { gpus: 2 }).sharding.text, /^sharding: 2 GPUs need a way to share the work; /)
  assert.match(problems("training", { ...full, sharding: "ddp" }).sharding.text, /'ddp' needs more than 1 GPU/)
  const split = { ...full, tensor_parallel: 2, pipeline_parallel: 2 }
  assert.match(problems("training", split, { gpus: 6 }).gpus.text, /context parallel = 4; expected a multiple of 4$/)
  assert.ok(problems("training", { ...full, sharding: "ddp", expert_parallel: 4 }, { gpus: 2 }).expert_parallel)
  assert.ok(problems("training", { ...full, tensor_parallel: 0 }).tensor_parallel)
  assert.match(problems("inference", { tensor_parallel: 3 }, { gpus: 4 }).tensor_parallel.text, /0 or a divisor of 4$/)
  for (const gpus of [0, -1, 1.5, "2", NaN, 1e9]) assert.ok(problems("inference", {}, { gpus }).gpus)
})

test("blanks take defaults, which are listed where they have an effect", () => {
  const { work, assumed, gpus, meter } = ask("training", { method: "qlora", sequence: null, rank: undefined })
  assert.deepEqual([gpus, meter], [1, "allocated"])
  const said = Object.fromEntries(assumed)
  assert.deepEqual([work.weights, said.weights, said.preparation], ["nf4-dq", "nf4-dq", "kbit"])
  assert.equal(said.sequence, work.sequence)
  assert.ok("rank" in said && !("method" in said) && !("tensor_parallel" in said))
  assert.ok(!ask("training", { method: "full" }).assumed.some(([name]) => name === "rank"))
  assert.equal(ask("training", { method: "full", precision: "fp32" }).work.weights, "fp32")
  assert.equal(ask("training", { method: "lora", kernels: "liger" }).work.stack, "fused")
})

test("what cannot be estimated has a reason", () => {
  const lora = ask("training", { method: "lora", targets: ["nothing", "toString"] })
  const full = ask("training", { method: "full" })
  const run = ask("inference", {})
  assert.throws(() => memory(full, encoder), cannot("shape"))
  assert.throws(() => memory(run, encoder), cannot("shape"))
  assert.throws(() => speed(run, encoder, card), cannot("shape"))
  assert.throws(() => memory(lora, decoder), cannot("targets"))
  assert.throws(() => speed(lora, encoder, card), cannot("matrices"))
  assert.throws(() => speed(full, decoder, null), cannot("card"))
  assert.throws(() => speed(full, decoder, capacity(24)), cannot("card"))
  assert.throws(() => speed(full, decoder, card), cannot("rate"))
  assert.throws(() => speed(run, decoder, card), cannot("unpublished"))
  assert.throws(() => speed(ask("inference", { prompt: 4096 }), decoder, card), cannot("context"))
  assert.throws(() => memory(ask("inference", { engine: "sglang" }, { meter: "device" }), decoder, card), cannot("pool"))
  assert.throws(() => rank(run, encoder, [card]), cannot("shape"))
})

test("the data unpacks into models and cards", () => {
  const { models, cards } = unpack({
    models: { columns: ["layers", "heads"], rows: { a: [2, 0], b: [3, null] }, adapters: { a: { q_proj: [1] } } },
    cards: {
      columns: { numbers: ["sms"], training: ["network"], inference: [] },
      rows: { x: [[80], [5], []] },
      unpublished: {},
    },
  })
  assert.deepEqual(models.get("a"), { slug: "a", numbers: { layers: 2, heads: 0 }, adapters: { q_proj: [1] } })
  assert.deepEqual(models.get("b"), { slug: "b", numbers: { layers: 3 }, adapters: null })
  const { slug, numbers, training, inference, unpublished } = cards.get("x")
  assert.deepEqual([slug, numbers, training, inference, unpublished], ["x", { sms: 80 }, { network: 5 }, {}, []])
})
