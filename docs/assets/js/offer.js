// The quiet line that offers the other language. Never redirects; closing it, or once choosing
// a language by hand, is remembered in this browser.
const KEY = "gfg.language-chosen"

/** Would a reader with these languages, most wanted first, rather read `other` than `here`? */
export function wants(languages, here, other) {
  const is = (tag, code) => tag.toLowerCase().split("-")[0] === code
  if (here === "en") return is(languages.find((tag) => is(tag, here) || is(tag, other)) ?? here, other)
  return languages.length > 0 && !languages.some((tag) => is(tag, here))
}

function remembered() {
  try {
    return localStorage.getItem(KEY) !== null
  } catch {
    return true // storage is off: we could not keep a "no", so we do not ask
  }
}

function remember() {
  try {
    localStorage.setItem(KEY, "1")
  } catch {
    // nothing to keep it in
  }
}

export function offer() {
  for (const link of document.querySelectorAll("[data-gfg-language], [data-gfg-offer] a")) {
    link.addEventListener("click", remember)
  }
  const line = document.querySelector("[data-gfg-offer]")
  if (!line || remembered()) return
  const here = document.documentElement.lang.split("-")[0]
  if (!wants(navigator.languages ?? [], here, line.dataset.gfgOffer)) return
  const close = () => {
    remember()
    line.hidden = true
  }
  line.querySelector("button").addEventListener("click", close)
  line.addEventListener("keydown", (event) => event.key === "Escape" && close())
  line.hidden = false
}
