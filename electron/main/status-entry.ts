/** The cluster at a glance, outside its windows: the tray entry, and the badge on the dock or task bar. */
import { join } from 'node:path'
import { app, BrowserWindow, Menu, nativeImage, Tray } from 'electron'
import type { MenuCommand } from '../contracts/shell.ts'
import type { Health } from '../plane/health.ts'
import type { Translate } from './texts/texts.ts'

interface Actions {
  readonly show: () => void
  readonly send: (command: MenuCommand) => void
  readonly quit: () => void
}

/** Must be kept by the caller, or the tray entry vanishes. */
export class StatusEntry {
  readonly #icons: string
  readonly #actions: Actions
  readonly #tray: Tray | null
  #text: Translate
  #health: Health | null = null
  /** What is shown; drawing the same again makes an open menu vanish. */
  #shown = ''

  /** `icons`: the folder that they are in. */
  constructor(icons: string, actions: Actions, text: Translate) {
    this.#icons = icons
    this.#actions = actions
    this.#text = text
    this.#tray = this.#make()
    this.#draw()
  }

  /** A desktop may have no tray; then closing the last window ends the app. */
  get hasTray(): boolean {
    return this.#tray !== null
  }

  /** Null while the plane starts. */
  update(health: Health | null): void {
    this.#health = health
    this.#draw()
  }

  speak(text: Translate): void {
    this.#text = text
    this.#draw()
  }

  #make(): Tray | null {
    try {
      const tray = new Tray(this.#image(0))
      tray.on('click', this.#actions.show)
      return tray
    } catch {
      return null
    }
  }

  #image(troubles: number) {
    const mac = process.platform === 'darwin'
    const name = mac ? (troubles > 0 ? 'trayAlertTemplate' : 'trayTemplate') : troubles > 0 ? 'tray-alert' : 'tray'
    const image = nativeImage.createFromPath(join(this.#icons, `${name}.png`))
    if (mac) image.setTemplateImage(true)
    return image
  }

  #draw(): void {
    const text = this.#text
    const troubles = this.#health ? this.#health.silent.length + this.#health.looping.length : 0
    const state = this.#health ? text('tray.state', counts(this.#health)) : text('tray.starting')
    const lines = troubles > 0 ? [state, text('tray.trouble', { n: troubles })] : [state]
    const shown = [...lines, text('tray.open')].join('\n')
    if (shown === this.#shown) return
    this.#shown = shown
    this.#badge(troubles, lines.join('\n'))
    this.#tray?.setImage(this.#image(troubles))
    this.#tray?.setToolTip(`Flotilla\n${lines.join('\n')}`)
    this.#tray?.setContextMenu(
      Menu.buildFromTemplate([
        ...lines.map((label) => ({ label, enabled: false })),
        { type: 'separator' },
        { label: text('tray.open'), click: this.#actions.show },
        { label: text('menu.deploy'), click: () => this.#actions.send('deploy') },
        { label: text('menu.pods'), click: () => this.#actions.send('pods') },
        { label: text('menu.machines'), click: () => this.#actions.send('machines') },
        { type: 'separator' },
        { label: text('tray.quit'), click: this.#actions.quit },
      ]),
    )
  }

  #badge(troubles: number, description: string): void {
    if (process.platform !== 'win32') return void app.setBadgeCount(troubles)
    const image = troubles > 0 ? nativeImage.createFromPath(join(this.#icons, 'badge.png')) : null
    for (const window of BrowserWindow.getAllWindows()) window.setOverlayIcon(image, description)
  }
}

function counts({ nodes, pods }: Health): Record<string, number> {
  return { ready: nodes.ready, nodes: nodes.total, running: pods.running, pods: pods.total }
}
