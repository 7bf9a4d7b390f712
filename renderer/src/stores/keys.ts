/** Keyboard commands: whoever is on screen registers its own, newest first; one listener for the window hands keys out. */
import { defineStore } from 'pinia'
import { computed, onScopeDispose, shallowRef, toValue, type MaybeRefOrGetter } from 'vue'
import { t, type PlainKey } from '../i18n/index.ts'
import { after } from '../time/clock.ts'
import { usePrefs } from './prefs.ts'

export interface Binding {
  /** "j", "g p" (one after the other), "ctrl+k", "delete", "?". "ctrl" is also the Mac's command key. */
  readonly keys: string
  /** What it does, for the list of keys. */
  readonly text: string
  readonly run: () => void
  /** Shown in the foot. */
  readonly hint?: boolean
  /** Works while typing in a field, too. */
  readonly always?: boolean
  /** Not offered now. */
  readonly off?: boolean
}

/** Milliseconds in which the second key of a pair must follow. */
const PAIR_MS = 1200

export const useKeyStore = defineStore('keys', () => {
  const prefs = usePrefs()
  const groups = shallowRef<readonly { id: number; of: MaybeRefOrGetter<readonly Binding[]> }[]>([])
  let nextId = 1
  let first = ''
  let forget: Disposable | null = null

  const bindings = computed<readonly Binding[]>(() => {
    const seen = new Set<string>()
    const result: Binding[] = []
    for (const group of groups.value)
      for (const binding of toValue(group.of)) {
        if (binding.off || seen.has(binding.keys)) continue
        seen.add(binding.keys)
        result.push(binding)
      }
    return result
  })

  function register(of: MaybeRefOrGetter<readonly Binding[]>): Disposable {
    const id = nextId++
    groups.value = [{ id, of }, ...groups.value]
    return { [Symbol.dispose]: () => void (groups.value = groups.value.filter((group) => group.id !== id)) }
  }

  function onKeydown(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing) return
    const pressed = nameOf(event)
    if (!pressed || isItsOwn(pressed, event.target)) return
    const modified = event.ctrlKey || event.metaKey || event.altKey
    const typing = isTyping(event.target)
    const modal = document.querySelector('[role="dialog"][data-state="open"], [role="alertdialog"][data-state="open"]') !== null
    const pair = first && !modified ? `${first} ${pressed}` : ''
    first = ''
    forget?.[Symbol.dispose]()
    const fits = (keys: string) =>
      bindings.value.find(
        (b) => b.keys === keys && (b.always || (!typing && !modal && (modified || isCommandKey(keys) || prefs.letterKeys))),
      )
    const binding = (pair && fits(pair)) || fits(pressed)
    if (binding) {
      event.preventDefault()
      binding.run()
    } else if (!typing && !modal && !modified && prefs.letterKeys && bindings.value.some((b) => b.keys.startsWith(`${pressed} `))) {
      first = pressed
      forget = after(PAIR_MS, () => (first = ''))
    }
  }
  return { bindings, register, onKeydown }
})

/** Registers for as long as the scope lives. */
export function useKeys(of: MaybeRefOrGetter<readonly Binding[]>): void {
  const held = useKeyStore().register(of)
  onScopeDispose(() => held[Symbol.dispose]())
}

/** Keys that no text is typed with, which stay when letters are switched off. */
const isCommandKey = (keys: string) => keys.length > 1 && !keys.includes(' ')

function nameOf(event: KeyboardEvent): string {
  const { key } = event
  if (['Control', 'Shift', 'Alt', 'Meta'].includes(key)) return ''
  const base = key === ' ' ? 'space' : key.toLowerCase()
  const shift = event.shiftKey && key.length > 1 ? 'shift+' : ''
  return `${event.ctrlKey || event.metaKey ? 'ctrl+' : ''}${event.altKey ? 'alt+' : ''}${shift}${base}`
}

/** Enter and Space belong to the button or link that has the focus. */
function isItsOwn(pressed: string, target: EventTarget | null): boolean {
  return (
    (pressed === 'enter' || pressed === 'space') &&
    target instanceof Element &&
    target.closest('button, a, summary, input, [role="menuitem"]') !== null
  )
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target.closest('.xterm, .cm-editor, [role="menu"], [role="listbox"]')) return true
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button'].includes(target.type)
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
}

const NAMES: Readonly<Record<string, PlainKey>> = {
  ctrl: 'key.ctrl',
  shift: 'key.shift',
  delete: 'key.delete',
  space: 'key.space',
}
const SIGNS: Readonly<Record<string, string>> = { alt: 'Alt', escape: 'Esc', enter: '↵', arrowdown: '↓', arrowup: '↑' }

/** The caps to draw, as they are labelled where the language is spoken: "ctrl+k" is Ctrl and K, or Strg and K. */
export function caps(keys: string): string[] {
  return keys.split(/[ +]/).map((key) => (NAMES[key] ? t(NAMES[key]) : (SIGNS[key] ?? key.toUpperCase())))
}
