import { defineStore } from 'pinia'
import { ref } from 'vue'

/** What is being written on the deploy page; it survives changes of page, and ends when it is deployed. */
export const useDraft = defineStore('draft', () => {
  const text = ref('')
  /** The text that was given for a start: as long as it is that, it may be replaced. */
  const start = ref('')
  const mode = ref<'form' | 'yaml'>('form')
  const source = ref('')
  return { text, start, mode, source }
})
