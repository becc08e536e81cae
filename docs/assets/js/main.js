// The entry of every page. A page works without it; each module adds one thing.
// An element with data-gfg-module="name" gets modules/name.js when it exists on the page:
// the module's default export is called with the element.
import { offer } from "./offer.js"
import { missing } from "./missing.js"
import { scrollers } from "./scrollers.js"

offer()
missing()
scrollers()

for (const element of document.querySelectorAll("[data-gfg-module]")) {
  const module = await import(`./modules/${element.dataset.gfgModule}.js`)
  module.default(element)
}
