import type { Directive } from 'vue'

/** `v-flash="value"`: lights up once when the value shown has changed. */
export const vFlash: Directive<HTMLElement, string | number> = {
  updated(element, { value, oldValue }) {
    if (value === oldValue) return
    element.style.animation = 'none'
    // Reading the size makes the browser forget the animation before it starts anew.
    void element.offsetWidth
    element.style.animation = 'flash var(--dur-3) var(--ease)'
  },
}
