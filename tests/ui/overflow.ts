/** A script for the page: elements that reach beyond the right edge and are not cut by a scroller of their own, and those that lie over each other. */
export const OVERFLOW = `(() => {
  const doc = document.documentElement
  const out = []
  if (doc.scrollWidth > doc.clientWidth) out.push('page ' + doc.scrollWidth)
  for (const el of document.querySelectorAll('main > *')) {
    if (el.scrollWidth > el.clientWidth + 1 && getComputedStyle(el).overflowX === 'visible') out.push(el.className + ' ' + el.scrollWidth + ' > ' + el.clientWidth)
  }
  // What scrolls as one column: its parts stand below each other.
  for (const body of document.querySelectorAll('main .body')) {
    const parts = [...body.children].map((el) => el.getBoundingClientRect()).filter((r) => r.height > 0)
    for (const [i, a] of parts.entries())
      for (const b of parts.slice(i + 1))
        if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1) out.push('overlap in ' + body.className)
  }
  for (const el of document.querySelectorAll('main .body > * > *')) {
    const room = el.parentElement.getBoundingClientRect()
    if (getComputedStyle(el.parentElement).overflowY === 'visible' && el.getBoundingClientRect().bottom > room.bottom + 1) out.push('spills ' + el.className)
  }
  return out
})()`
