/** `session.defaultSession`: the app's answers to permission requests, carried out in Chromium. */
import { desk, ignore } from './desk.ts'
import { outside } from './schemes.ts'
import type { WebContents } from './web-contents.ts'

type RequestHandler = (contents: WebContents, permission: string, answer: (granted: boolean) => void, details: object) => void
type CheckHandler = (contents: WebContents | null, permission: string, origin: string, details: object) => boolean

/** Electron's names, and Chromium's. */
const CHROMIUM_NAMES: Record<string, readonly string[]> = {
  notifications: ['notifications'],
  media: ['camera', 'microphone'],
  'clipboard-read': ['clipboard-read'],
}

class Session {
  #request: RequestHandler | null = null
  #check: CheckHandler | null = null

  setPermissionRequestHandler(handler: RequestHandler | null): void {
    this.#request = handler
  }

  setPermissionCheckHandler(handler: CheckHandler | null): void {
    this.#check = handler
  }

  /** What the check handler says; Chromium has no hook to ask it by itself. */
  check(contents: WebContents, permission: string, origin: string): boolean {
    return this.#check?.(contents, permission, origin, {}) ?? true
  }

  /** Asks the app, which grants everything if it has no handler, and tells Chromium. */
  async decide(contents: WebContents, permission: string, url: string): Promise<boolean> {
    const granted = await new Promise<boolean>((resolve) => {
      if (this.#request) this.#request(contents, permission, resolve, { requestingUrl: outside(url), isMainFrame: true })
      else resolve(true)
    })
    for (const name of CHROMIUM_NAMES[permission] ?? []) {
      const setting = granted ? 'granted' : 'denied'
      await desk.running.browser.send('Browser.setPermission', { permission: { name }, setting, origin: new URL(url).origin }).catch(ignore)
    }
    return granted
  }
}

export const session = { defaultSession: new Session() }
