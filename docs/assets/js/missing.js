// 404.html is one file for all languages: put the reader's own, told by the address, in front.
export function missing() {
  const page = document.querySelector("[data-gfg-missing]")
  if (!page) return
  const path = location.pathname
  const own = [...page.children].find(({ dataset }) => dataset.prefix && path.includes(`/${dataset.prefix}`))
  if (!own) return
  page.prepend(own)
}
