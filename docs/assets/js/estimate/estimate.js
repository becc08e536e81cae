// The estimator in the browser: memory, verdict and speed of one question, or of one question on every card.
//
// The same answers as generator/estimate.py, to rounding. No physics and no constants are here: formulas.js and
// tables.js are generated, and what depends on a model or a card comes looked up in assets/data/estimate.json.
import * as formulas from "./formulas.js"
import { adapters, moments, programs, shares, tables } from "./tables.js"

export { ask, names, QuestionError } from "./question.js"

const GIB = 2 ** 30
const ORDER = { fits: 0, tight: 1, no: 2 }

/** There is no estimate, which is an answer too. `code` names the reason, the message says it in English. */
export class CannotEstimate extends Error {
  constructor(code, message) {
    super(message)
    this.name = "CannotEstimate"
    this.code = code
  }
}

/**
 * The content of estimate.json as `{ models, cards }`, two Maps by slug.
 *
 * A model is `{ slug, numbers, adapters }`; `adapters` is null where nothing but the speed of full training is known.
 * A card is `{ slug, numbers, training, inference, unpublished }`.
 */
export function unpack({ models, cards }) {
  const record = (columns, row) => {
    const found = {}
    columns.forEach((name, i) => {
      if (row[i] !== null) found[name] = row[i]
    })
    return found
  }
  const each = (rows, make) => {
    return new Map(Object.entries(rows).map(([slug, row]) => [slug, { slug, ...make(slug, row) }]))
  }
  const parts = Object.keys(cards.columns)
  return {
    models: each(models.rows, (slug, row) => ({
      numbers: record(models.columns, row),
      adapters: models.adapters[slug] ?? null,
    })),
    cards: each(cards.rows, (slug, row) => ({
      ...Object.fromEntries(parts.map((part, i) => [part, record(cards.columns[part], row[i])])),
      unpublished: cards.unpublished[slug] ?? [],
    })),
  }
}

/** A card of which only the size is known, in GiB: enough for memory, not for speed. */
export function capacity(gib) {
  const { training_memory: training, inference_memory: inference } = programs
  return { slug: null, numbers: { ...training.noCard, ...inference.noCard, card_bytes: gib * GIB } }
}

/**
 * Memory on the fullest GPU, in GiB: `{ meter, value, low, high, allocated, need, usable, verdict, chance, moment,
 * terms, numbers }`.
 *
 * `terms` are [quantity, GiB] and add up to what is allocated at the `moment` (a quantity too) when that is highest.
 * Without a card `usable` and `verdict` are null. `chance` is [finished, of] among measured runs with this verdict.
 * `numbers` are all inputs and results in bytes. Throws CannotEstimate.
 */
export function memory(question, model, card = null) {
  const x = memoryInputs(question, model)
  const { answer, results } = memoryOn(question, Object.assign(x, cardMemory(question, card)), card !== null)
  return { ...answer, numbers: { ...x, ...results } }
}

/**
 * Tokens/s, of one GPU in training (`perGpu`), of all sequences together in inference: `{ value, low, high, perGpu,
 * terms, extra, numbers }`.
 *
 * `terms` are [quantity, seconds]; `extra` has `{ value, low, high }` for prefill, decode, output and combined.
 * Throws CannotEstimate.
 */
export function speed(question, model, card) {
  const x = speedInputs(question, model)
  const { answer, results } = speedOn(question, Object.assign(x, cardSpeed(question, card)), card)
  return { ...answer, numbers: { ...x, ...results } }
}

/**
 * One question on many cards: `[{ card, memory, speed, reason }]` in the order of `python -m generator recommend`: by
 * verdict, then by `price(slug)`, unknown ones last, then by slug.
 *
 * `speed` is null where the memory does not suffice or where there is a `reason` why it is not known. Throws
 * CannotEstimate where the memory of the work itself cannot be estimated.
 */
export function rank(question, model, cards, price = () => null) {
  const forMemory = memoryInputs(question, model)
  let forSpeed = null
  let unknown = null
  try {
    forSpeed = speedInputs(question, model)
  } catch (error) {
    unknown = reasonOf(error)
  }
  const found = []
  for (const card of cards) {
    const row = { card, price: price(card.slug) ?? null, memory: null, speed: null, reason: unknown }
    try {
      // The inputs of one card take the place of those of the one before: every card has the same.
      row.memory = memoryOn(question, Object.assign(forMemory, cardMemory(question, card)), true).answer
      if (forSpeed !== null && row.memory.verdict !== "no") {
        row.speed = speedOn(question, Object.assign(forSpeed, cardSpeed(question, card)), card).answer
      }
    } catch (error) {
      row.reason = reasonOf(error)
    }
    if (row.memory !== null) found.push(row)
  }
  return found.sort(byVerdict)
}

function reasonOf(error) {
  if (error instanceof CannotEstimate) return error
  throw error
}

function byVerdict(a, b) {
  const verdicts = ORDER[a.memory.verdict] - ORDER[b.memory.verdict]
  const unpriced = (a.price === null) - (b.price === null)
  return verdicts || unpriced || a.price - b.price || (a.card.slug < b.card.slug ? -1 : 1)
}

// --- what does not depend on the card

function memoryInputs(question, model) {
  const program = `${question.kind}_memory`
  const { constants } = programs[program]
  if (!model.adapters) throw new CannotEstimate("shape", "only decoders with a known shape can be estimated")
  const x = Object.assign({}, model.numbers, ofWork(program, question))
  if (question.kind === "training") Object.assign(x, ofAdapters(question.work, model))
  return Object.assign(x, constants)
}

function speedInputs(question, model) {
  return question.kind === "training" ? trainingInputs(question, model) : inferenceInputs(question, model)
}

function trainingInputs(question, model) {
  const { constants, stacks } = programs.train_speed
  const { work } = question
  const x = Object.assign({}, model.numbers, ofWork("train_speed", question), ofAdapters(work, model))
  return Object.assign(x, constants, stacks[work.stack])
}

function inferenceInputs(question, model) {
  const { constants, formats, groups } = programs.inference_speed
  const { engine, weights, generated, prompt } = question.work
  if (!model.adapters) throw new CannotEstimate("shape", "only decoders with a known shape can be estimated")
  const { max_context: most } = model.numbers
  if (generated && prompt === most) {
    const whole = `${most.toLocaleString("en")} tokens`
    throw new CannotEstimate("context", `the prompt fills the model's whole context of ${whole}`)
  }
  const format = formats[weights]
  const x = Object.assign({}, model.numbers, ofWork("inference_speed", question))
  Object.assign(x, constantsOf("engine_speed", engine), constantsOf("format_speed", format))
  // The constants at the most special level that has them.
  const { all, groups: byGroup, engines, formats: byFormat } = constants
  return Object.assign(x, all, byGroup[groups[engine]], engines[engine], byFormat[engine]?.[format])
}

const known = new Map()

/** What a named choice stands for. */
function constantsOf(table, option) {
  const key = `${table} ${option}`
  if (!known.has(key)) {
    const { names, options } = tables[table]
    known.set(key, Object.fromEntries(names.map((name, i) => [name, options[option][i]])))
  }
  return known.get(key)
}

function ofWork(program, { work, gpus }) {
  const x = { gpus }
  for (const table of programs[program].tables) Object.assign(x, constantsOf(table, work[table]))
  for (const [input, option] of Object.entries(programs[program].sizes)) x[input] = Number(work[option])
  return x
}

function ofAdapters(work, model) {
  const x = Object.fromEntries([...adapters.sums, "adapter_distinct_inputs"].map((name) => [name, 0]))
  if (work.method === "full") return x
  if (!model.adapters) throw new CannotEstimate("matrices", "the matrices that adapters would sit on are not known")
  const targets = [...new Set(work.targets)].filter((name) => Object.hasOwn(model.adapters, name))
  if (!targets.length) {
    throw new CannotEstimate("targets", `none of the LoRA targets ${work.targets.join(" ")} is a matrix of this model`)
  }
  const distinct = {}
  const inputs = adapters.sums.indexOf("adapter_inputs")
  for (const target of targets) {
    const adds = model.adapters[target]
    adapters.sums.forEach((name, i) => {
      x[name] += adds[i] * (adapters.perRank.includes(name) ? work.rank : 1)
    })
    distinct[adapters.sameInput[target] ?? target] = adds[inputs]
  }
  x.adapts_mlp = Math.min(1, x.adapts_mlp)
  x.adapter_distinct_inputs = Object.values(distinct).reduce((sum, width) => sum + width, 0)
  if (work.trainable) x.adapter_parameters = work.trainable
  return x
}

// --- what does

const cardMemory = ({ kind }, card) => (card === null ? programs[`${kind}_memory`].noCard : card.numbers)

function cardSpeed({ kind }, card) {
  if (!card?.[kind]) throw new CannotEstimate("card", "speed needs a card")
  return { ...card.numbers, ...card[kind] }
}

function memoryOn({ kind, meter, work }, x, isLimited) {
  const program = `${kind}_memory`
  const { bands, chances } = programs[program]
  const training = kind === "training"
  if (!training && meter === "device" && x.fills_card && !(x.pool_share && x.card_bytes)) {
    const what = x.pool_share ? "which card is not said" : "which share is not known here"
    throw new CannotEstimate("pool", `${work.engine} takes a share of the card at the start; ${what}`)
  }
  const results = formulas[program](x)
  const [low, high] = bands[training ? `${meter} ${work.varying_lengths ? "varying" : "fixed"}` : shortKind(meter)]
  const usable = isLimited ? results.usable_bytes / GIB : null
  const verdict = !isLimited ? null : training ? byShare(results) : byBand(results, bands.allocated)
  const value = results[meter] / GIB
  // No meter can show more than the card has.
  const ceiling = isLimited && meter !== "allocated" ? usable : Infinity
  const answer = {
    meter,
    value,
    low: value * low,
    high: Math.max(value, Math.min(value * high, ceiling)),
    allocated: results.allocated / GIB,
    need: results.need / GIB,
    usable,
    verdict,
    chance: chances[verdict] ?? null,
    moment: moments.find((name) => results[name]) ?? null,
    terms: terms(program, results, GIB),
  }
  return { answer, results }
}

const shortKind = (meter) => (meter === "device" ? meter : "allocated")

function byShare({ need, usable_bytes: usable }) {
  const share = need / usable
  return share > shares.no ? "no" : share > shares.tight ? "tight" : "fits"
}

function byBand({ allocated, usable_bytes: usable, context_bytes: context }, [low, high]) {
  const free = usable - context
  return allocated * low > free ? "no" : allocated * high <= free ? "fits" : "tight"
}

function terms(program, results, unit) {
  const found = []
  for (const name of programs[program].terms) if (results[name] > 0) found.push([name, results[name] / unit])
  return found
}

function speedOn(question, x, card) {
  return question.kind === "training" ? trainingOn(x, card) : inferenceOn(question, x)
}

function trainingOn(x, card) {
  const { rates, caseKinds, bands } = programs.train_speed
  const [rate, fact] = rates[Math.trunc(x.matmul_bits)] ?? rates[16]
  // Hardware without the format falls back to FP32; a rate that nobody published is another matter.
  if (!(x[rate] > 0) && (card.unpublished.includes(fact) || !(x.rate_fp32 > 0))) {
    throw new CannotEstimate("rate", "the card's speed in this number format is not published")
  }
  const results = formulas.train_speed(x)
  const answer = {
    ...interval(results.tokens_per_s, bands[caseKinds[results.case_kind]]),
    perGpu: true,
    terms: terms("train_speed", results, 1),
    extra: {},
  }
  return { answer, results }
}

function inferenceOn({ work }, x) {
  const { bands, figures, formats, groups, plain } = programs.inference_speed
  const missing = [
    [!x.sms, "its number of multiprocessors"],
    [!x.clock, "its clock"],
    [!(x.rate_tensor16 || x.rate_fp32), "its speed in 16 bits and in FP32"],
    [x.gpus > 1 && !(x.pcie || x.nvlink_joined * x.nvlink), "the speed of its link to other cards"],
  ].filter(([isMissing]) => isMissing)
  if (missing.length) {
    throw new CannotEstimate("unpublished", `not published: ${missing.map(([, what]) => what).join(", ")}`)
  }
  const results = formulas.inference_speed(x)
  if (results.weights > x.card_bytes * x.gpus) throw new CannotEstimate("weights", "the weights do not fit")
  const stored = plain.includes(formats[work.weights]) ? "plain" : "quantized"
  const extra = {}
  for (const figure of figures) {
    const phase = figure === "prefill" ? figure : "decode"
    const band = bands[`${phase} ${groups[work.engine]} ${stored}`] ?? bands[phase]
    extra[figure] = interval(results[`${figure}_tokens_per_s`], band)
  }
  const answer = { ...extra.decode, perGpu: false, terms: terms("inference_speed", results, 1), extra }
  return { answer, results }
}

const interval = (value, [low, high]) => ({ value, low: value * low, high: value * high })
