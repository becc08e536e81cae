// Material's search listens to keys only: text that arrives without one (pasted with the mouse,
// picked from a Chinese input method by touch) would find nothing until the next key.
export function search() {
  const query = document.querySelector("[data-md-component=search-query]")
  query?.addEventListener("input", () => query.dispatchEvent(new KeyboardEvent("keyup")))
}
