import type { Directive } from 'vue'

/** The row that an element showed last: tables fill elements anew for other rows. */
const rows = new WeakMap<HTMLElement, string>()
const rowOf = (element: HTMLElement) => element.closest<HTMLElement>('[data-key]')?.dataset['key'] ?? ''

/** `v-flash="value"`: lights up once when the value shown has changed. */
export const vFlash: Directive<HTMLElement, string | number> = {
  mounted(element) {
    rows.set(element, rowOf(element))
  },
  updated(element, { value, oldValue }) {
    if (value === oldValue) return
    const row = rowOf(element)
    const same = rows.get(element) === row
    rows.set(element, row)
    if (!same) return
    element.style.animation = 'none'
    // Reading the size makes the browser forget the animation before it starts anew.
    void element.offsetWidth
    element.style.animation = 'flash var(--dur-3) var(--ease)'
  },
}
