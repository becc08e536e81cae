// A question to the estimator: complete, checked, with everything that had to be assumed. As generator/question.py.
import { alone, fractions, kinds, maxGpus, meters, tables } from "./tables.js"

const LONGEST = 40 // of a wrong value in a message

/** A question that makes no sense. `problems` are `{ option, value, expected, text }`; the message has all texts. */
export class QuestionError extends Error {
  constructor(problems) {
    super(problems.map(({ text }) => text).join("\n"))
    this.name = "QuestionError"
    this.problems = problems
  }
}

/** The names of all options of a choice, such as `names("optimizer")`. */
export const names = (table) => Object.keys(tables[table].options)

/**
 * A complete question: `{ kind, work, gpus, meter, assumed }`.
 *
 * `kind` is "training" or "inference". What `given` leaves out (or has as null) takes its default; defaults that have
 * an effect are in `assumed` as [option, value]. Throws QuestionError with everything that is wrong.
 */
export function ask(kind, given, { gpus = 1, meter = "allocated" } = {}) {
  const found = new Problems()
  if (!Object.hasOwn(kinds, kind)) found.unknown("kind", kind, Object.keys(kinds))
  if (!meters.includes(meter)) found.unknown("meter", meter, meters)
  found.raise()
  const { defaults, dependent, quiet, matters } = kinds[kind]
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(defaults, name)) found.add(name, given[name], "there is no such option", Object.keys(defaults))
  }
  found.raise()
  const work = {}
  const assumed = []
  for (const [name, usual] of Object.entries(defaults)) {
    const value = given[name] ?? null
    if (value !== null) {
      work[name] = value
      continue
    }
    const rule = dependent.find(([option, when]) => option === name && holds(when, work))
    work[name] = rule ? rule[2] : usual
    if (usual !== null && !quiet.includes(name) && (!matters[name] || holds(matters[name], work))) {
      assumed.push([name, work[name]])
    }
  }
  check(kind, work, gpus, found)
  found.raise()
  return { kind, work, gpus, meter, assumed }
}

function holds({ only = {}, never = {} }, work) {
  const among = ([name, values]) => values.includes(work[name])
  return Object.entries(only).every(among) && !Object.entries(never).some(among)
}

class Problems {
  #all = []

  add(option, value, what, expected) {
    const wanted = Array.isArray(expected) ? expected.join(", ") : expected
    this.#all.push({ option, value, expected, text: `${option}: ${what}; expected ${wanted}` })
  }

  unknown(option, value, allowed) {
    this.add(option, value, value === null ? "is missing" : `'${shown(value)}' is not known`, allowed)
  }

  range(option, value, least, most) {
    this.add(option, value, `${shown(value)} is out of range`, `${least} to ${most.toLocaleString("en")}`)
  }

  get none() {
    return !this.#all.length
  }

  raise() {
    if (!this.none) throw new QuestionError(this.#all)
  }
}

const shown = (value) => String(typeof value === "object" ? JSON.stringify(value) : value).slice(0, LONGEST)

const within = (value, least, most) => typeof value === "number" && value >= least && value <= most
const whole = (value, least, most) => Number.isInteger(value) && within(value, least, most)

function check(kind, work, gpus, found) {
  const { choices, limits, defaults } = kinds[kind]
  for (const name of choices) {
    const known = typeof work[name] === "string" && Object.hasOwn(tables[name].options, work[name])
    if (!known) found.unknown(name, work[name], names(name))
  }
  for (const [name, [least, most]] of Object.entries(limits)) {
    const fine = (fractions.includes(name) ? within : whole)(work[name], least, most)
    if (!fine) found.range(name, work[name], least, most)
  }
  for (const [name, usual] of Object.entries(defaults)) {
    const value = work[name]
    if (typeof usual === "boolean" && typeof value !== "boolean") found.unknown(name, value, ["true", "false"])
    if (Array.isArray(usual) && !Array.isArray(value)) found.unknown(name, value, "a list of names")
  }
  if ("trainable" in work && work.trainable !== null && !whole(work.trainable, 0, Infinity)) {
    found.add("trainable", work.trainable, `${shown(work.trainable)} is no number of parameters`, "a whole number")
  }
  if (!whole(gpus, 1, maxGpus)) found.add("gpus", gpus, `${shown(gpus)} is no number of GPUs`, `1 to ${maxGpus}`)
  else if (kind === "training") checkParallel(work, gpus, found)
  else {
    const ways = work.tensor_parallel
    if (!whole(ways, 0, gpus) || (ways && gpus % ways)) {
      found.add("tensor_parallel", ways, `${shown(ways)} with ${gpus} GPUs`, `0 or a divisor of ${gpus}`)
    }
  }
}

function checkParallel(work, gpus, found) {
  const sizes = ["tensor_parallel", "pipeline_parallel", "context_parallel", "expert_parallel"]
  const odd = sizes.filter((name) => !whole(work[name], 1, Infinity))
  for (const name of odd) found.range(name, work[name], 1, gpus)
  if (odd.length) return
  const product = work.tensor_parallel * work.pipeline_parallel * work.context_parallel
  if (gpus % product) {
    const what = `${gpus} GPUs cannot be split by tensor × pipeline × context parallel = ${product}`
    found.add("gpus", gpus, what, `a multiple of ${product}`)
  }
  const ways = work.expert_parallel
  if (ways > gpus) found.add("expert_parallel", ways, `${ways} with ${gpus} GPUs`, `1 to ${gpus}`)
  const { sharding } = work
  if (gpus === 1 && !alone.includes(sharding)) {
    found.add("sharding", sharding, `'${shown(sharding)}' needs more than 1 GPU`, "none")
  }
  if (gpus > 1 && sharding === "none" && product === 1) {
    found.add("sharding", sharding, `${gpus} GPUs need a way to share the work`, names("sharding").slice(1))
  }
}
