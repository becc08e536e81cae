// The entry of every page. A page works without it; each module adds one thing.
// What only some pages need lies in modules/: an element with data-gfg-module="name" is handed
// to the default export of modules/name.js, loaded when such an element is there.
import { offer } from "./offer.js"
import { missing } from "./missing.js"
import { scrollers } from "./scrollers.js"
import { search } from "./search.js"

offer()
missing()
scrollers()
search()

for (const element of document.querySelectorAll("[data-gfg-module]")) {
  const module = await import(`./modules/${element.dataset.gfgModule}.js`)
  module.default(element)
}
