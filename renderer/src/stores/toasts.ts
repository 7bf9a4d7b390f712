import { defineStore } from 'pinia'
import { shallowRef } from 'vue'

export interface Toast {
  readonly id: number
  readonly text: string
  /** Offered for as long as the toast is there. */
  readonly undo?: () => Promise<void>
}

/** Short notes of what was done. Never for errors that need an answer: those stay where they happened. */
export const useToasts = defineStore('toasts', () => {
  const toasts = shallowRef<readonly Toast[]>([])
  let nextId = 1

  function show(text: string, undo?: () => Promise<void>): void {
    const toast = { id: nextId++, text, ...(undo ? { undo } : {}) }
    toasts.value = [...toasts.value.slice(-2), toast]
  }
  function dismiss(id: number): void {
    toasts.value = toasts.value.filter((toast) => toast.id !== id)
  }
  /** Undoes what the newest toast with an undo tells of; false if there is none. */
  function undoLatest(): boolean {
    const toast = toasts.value.findLast((each) => each.undo)
    if (!toast?.undo) return false
    dismiss(toast.id)
    void toast.undo()
    return true
  }
  return { toasts, show, dismiss, undoLatest }
})
