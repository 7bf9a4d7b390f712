/** Terminals at the foot of the window. They live here, not in a page, so that they survive changes of page. */
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import type { ArgOf } from '../../../electron/contracts/channel.ts'
import type { Channels } from '../../../electron/contracts/channels.ts'

export type TerminalTarget =
  | { readonly type: 'exec'; readonly namespace: string; readonly pod: string; readonly container?: string | undefined }
  | { readonly type: 'machine'; readonly name: string }
  | { readonly type: 'local' }

export interface TerminalTab {
  readonly id: number
  readonly title: string
  readonly target: TerminalTarget
}

/** The best shell that the image has. */
export const SHELL: ArgOf<Channels['kube.exec']>['command'] = [
  '/bin/sh',
  '-c',
  'TERM=xterm-256color; export TERM; for s in bash ash sh; do if command -v $s >/dev/null 2>&1; then exec $s; fi; done; exec /bin/sh',
]

export const useDock = defineStore('dock', () => {
  const tabs = shallowRef<readonly TerminalTab[]>([])
  const activeId = shallowRef(0)
  const open = shallowRef(false)
  let nextId = 1

  function add(title: string, target: TerminalTarget): void {
    const tab = { id: nextId++, title, target }
    tabs.value = [...tabs.value, tab]
    activeId.value = tab.id
    open.value = true
  }
  function close(id: number): void {
    const index = tabs.value.findIndex((tab) => tab.id === id)
    tabs.value = tabs.value.filter((tab) => tab.id !== id)
    if (activeId.value === id) activeId.value = (tabs.value[index] ?? tabs.value.at(-1))?.id ?? 0
    if (tabs.value.length === 0) open.value = false
  }
  function show(id: number): void {
    activeId.value = id
    open.value = true
  }
  return { tabs, activeId, open, active: computed(() => tabs.value.find((tab) => tab.id === activeId.value)), add, close, show }
})
