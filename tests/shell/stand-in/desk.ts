/** What the parts of the stand-in share, and what tests read and drive. Electron's own module is as global as this. */
import { EventEmitter } from 'node:events'
import type { Chromium } from './chromium.ts'
import type { BrowserWindow } from './browser-window.ts'

/** A native dialog that is open. */
export interface OpenDialog {
  readonly kind: 'open' | 'message'
  readonly options: Record<string, unknown>
  answer(value: object): void
}

class Desk {
  chromium: Chromium | null = null
  readonly windows = new Set<BrowserWindow>()
  focused: BrowserWindow | null = null
  /** Calls that only a desktop could carry out. */
  readonly calls: { readonly api: string; readonly args: readonly unknown[] }[] = []
  readonly dialogs: OpenDialog[] = []
  /** Of the `app`: kept here so that windows can tell it. */
  readonly appEvents = new EventEmitter()
  quitting = false

  record(api: string, ...args: unknown[]): void {
    this.calls.push({ api, args })
  }

  get running(): Chromium {
    if (!this.chromium) throw new Error('the app is not ready')
    return this.chromium
  }
}

export const desk = new Desk()

/** An event whose default can be prevented, as Electron hands it to listeners. */
export interface Cancellable {
  defaultPrevented: boolean
  preventDefault(): void
}

export function cancellable<T extends object>(more?: T): Cancellable & T {
  const event = {
    ...more,
    defaultPrevented: false,
    preventDefault() {
      event.defaultPrevented = true
    },
  }
  return event as Cancellable & T
}

export function ignore(error: unknown): void {
  if (process.env['STAND_IN_DEBUG']) console.error('[stand-in]', error)
}
