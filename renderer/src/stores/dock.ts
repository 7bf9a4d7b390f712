/** Terminals at the foot of the window, or on their own page. They live here, not in a page, so that they survive changes of page. */
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import type { ArgOf } from '../../../electron/contracts/channel.ts'
import type { Channels } from '../../../electron/contracts/channels.ts'

export type TerminalTarget =
  | { readonly type: 'exec'; readonly namespace: string; readonly pod: string; readonly container?: string | undefined }
  /** To what the container itself runs. */
  | { readonly type: 'attach'; readonly namespace: string; readonly pod: string; readonly container: string; readonly tty: boolean }
  | { readonly type: 'machine'; readonly name: string }
  | { readonly type: 'local' }

export interface TerminalSlot {
  readonly id: number
  readonly title: string
  readonly target: TerminalTarget
}

export interface TerminalTab {
  readonly id: number
  readonly title: string
  readonly target: TerminalTarget
  /** What stands in it, from left to right or from top to bottom: the first is the one it was opened with, as long as that is there. */
  readonly panes: readonly TerminalSlot[]
  readonly stacked: boolean
}

/** What is asked about before a terminal or a transfer of files begins. */
export interface PodQuestion {
  readonly about: 'terminal' | 'files'
  readonly mode?: 'exec' | 'attach' | 'debug'
  readonly namespace?: string | undefined
  readonly pod?: string
  readonly container?: string | undefined
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
  /** Where terminals stand while their own page is shown; null: at the foot. */
  const stage = shallowRef<HTMLElement | null>(null)
  const question = shallowRef<PodQuestion | null>(null)
  let nextId = 1

  function add(title: string, target: TerminalTarget): void {
    const tab: TerminalTab = { id: nextId++, title, target, panes: [{ id: nextId++, title, target }], stacked: false }
    tabs.value = [...tabs.value, tab]
    activeId.value = tab.id
    open.value = true
  }
  function change(id: number, to: (tab: TerminalTab) => TerminalTab): void {
    tabs.value = tabs.value.map((tab) => (tab.id === id ? to(tab) : tab))
  }
  /** Another session of the same beside it. */
  function split(id: number, stacked: boolean): void {
    change(id, (tab) => ({ ...tab, stacked, panes: [...tab.panes, { id: nextId++, title: tab.title, target: tab.target }] }))
  }
  function closePane(id: number, pane: number): void {
    const panes = tabs.value.find((tab) => tab.id === id)?.panes.filter((one) => one.id !== pane) ?? []
    if (panes.length === 0) close(id)
    else change(id, (tab) => ({ ...tab, panes }))
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
  const active = computed(() => tabs.value.find((tab) => tab.id === activeId.value))
  return { tabs, activeId, open, stage, question, active, add, split, closePane, close, show }
})
