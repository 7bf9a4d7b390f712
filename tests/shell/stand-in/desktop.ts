/** Menus, tray, dialogs and what else a desktop draws: tests read what was shown, and click or answer it. */
import { EventEmitter } from 'node:events'
import { existsSync } from 'node:fs'
import { app } from './app.ts'
import { desk } from './desk.ts'

interface ItemOptions {
  readonly label?: string
  readonly role?: string
  readonly type?: string
  readonly accelerator?: string
  readonly enabled?: boolean
  readonly click?: () => void
  readonly submenu?: readonly ItemOptions[]
}

const ROLES: Record<string, () => void> = {
  quit: () => app.quit(),
  close: () => desk.focused?.close(),
  minimize: () => desk.focused?.minimize(),
  reload: () => desk.focused?.webContents.reload(),
}

export class Menu {
  static application: Menu | null = null
  readonly items: readonly ItemOptions[]

  private constructor(items: readonly ItemOptions[]) {
    this.items = items
  }

  static buildFromTemplate(template: readonly ItemOptions[]): Menu {
    return new Menu(template)
  }

  static setApplicationMenu(menu: Menu | null): void {
    Menu.application = menu
  }

  /** For tests: 'File/Deploy…', by labels or roles. */
  click(path: string): void {
    let items = this.items
    let found: ItemOptions | undefined
    for (const name of path.split('/')) {
      found = items.find(({ label, role }) => label === name || role === name)
      items = found?.submenu ?? []
    }
    if (!found) throw new Error(`the menu has no item ${path}`)
    if (found.enabled === false) throw new Error(`the menu item ${path} is disabled`)
    if (found.click) found.click()
    else ROLES[found.role ?? '']?.()
  }
}

export class Tray extends EventEmitter {
  static readonly all: Tray[] = []
  image: NativeImage
  menu: Menu | null = null
  toolTip = ''

  constructor(image: NativeImage) {
    super()
    if (image.isEmpty()) throw new Error('Failed to load image from path')
    this.image = image
    Tray.all.push(this)
  }

  setContextMenu(menu: Menu | null): void {
    this.menu = menu
  }

  setImage(image: NativeImage): void {
    this.image = image
  }

  setToolTip(text: string): void {
    this.toolTip = text
  }
}

class NativeImage {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  isEmpty(): boolean {
    return !existsSync(this.path)
  }

  setTemplateImage(): void {
    // Only macOS draws it otherwise.
  }
}
export const nativeImage = { createFromPath: (path: string) => new NativeImage(path) }

export class Notification extends EventEmitter {
  static readonly shown: Notification[] = []
  readonly title: string
  readonly body: string

  static isSupported(): boolean {
    return true
  }

  constructor({ title = '', body = '' }: { title?: string; body?: string } = {}) {
    super()
    this.title = title
    this.body = body
  }

  show(): void {
    Notification.shown.push(this)
  }
}

/** The computer's sleep and end, which tests emit. */
export const powerMonitor = new EventEmitter()

const WORK_AREA = { x: 0, y: 0, width: 1920, height: 1050 }
export const screen = { getAllDisplays: () => [{ id: 1, workArea: WORK_AREA }] }

export const shell = {
  async openExternal(url: string): Promise<void> {
    desk.record('shell.openExternal', url)
  },
  async openPath(path: string): Promise<string> {
    desk.record('shell.openPath', path)
    return ''
  },
}

/** Stays open until a test answers it. */
function ask(kind: 'open' | 'message', args: readonly unknown[]): Promise<object> {
  if (!app.isReady()) throw new Error('dialog can only be used after app is ready')
  const options = args.at(-1) as Record<string, unknown>
  return new Promise((resolve) => {
    const open = {
      kind,
      options,
      answer(value: object) {
        desk.dialogs.splice(desk.dialogs.indexOf(open), 1)
        resolve(value)
      },
    }
    desk.dialogs.push(open)
  })
}

export const dialog = {
  showOpenDialog: (...args: unknown[]) => ask('open', args),
  showMessageBox: (...args: unknown[]) => ask('message', args),
  showErrorBox: (title: string, content: string) => desk.record('dialog.showErrorBox', title, content),
}
