// A box that scrolls sideways must be reachable by keyboard, one that does not must not be a stop.
export function scrollers() {
  const boxes = document.querySelectorAll(".gfg-scroll")
  const set = (box) => {
    const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight
    box.toggleAttribute("data-scrolls", scrolls)
    if (scrolls) box.tabIndex = 0
    else box.removeAttribute("tabindex")
  }
  const observer = new ResizeObserver((entries) => entries.forEach(({ target }) => set(target)))
  boxes.forEach((box) => observer.observe(box))
}
