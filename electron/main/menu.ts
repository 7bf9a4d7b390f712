import { app, Menu, type MenuItemConstructorOptions } from 'electron'
import type { MenuCommand } from '../contracts/shell.ts'
import type { Translate } from './texts/texts.ts'

export interface MenuActions {
  /** Tells the UI what was chosen. */
  readonly send: (command: MenuCommand) => void
  readonly newWindow: () => void
}

/** The application menu, with the roles and keys that each system expects. */
export function buildMenu({ send, newWindow }: MenuActions, text: Translate): Menu {
  const mac = process.platform === 'darwin'
  const item = (label: string, command: MenuCommand, accelerator?: string): MenuItemConstructorOptions => ({
    label,
    click: () => send(command),
    ...(accelerator ? { accelerator } : {}),
  })
  const settings = item(text('menu.settings'), 'settings', 'CmdOrCtrl+,')
  const separator = { type: 'separator' } as const
  const appMenu: MenuItemConstructorOptions[] = [
    {
      label: app.name,
      role: 'appMenu',
      submenu: [
        ...[{ role: 'about' } as const, separator, settings, separator, { role: 'services' } as const, separator],
        ...[{ role: 'hide' } as const, { role: 'hideOthers' } as const, { role: 'unhide' } as const, separator, { role: 'quit' } as const],
      ],
    },
  ]
  return Menu.buildFromTemplate([
    ...(mac ? appMenu : []),
    {
      label: text('menu.file'),
      submenu: [
        { label: text('menu.newWindow'), accelerator: 'CmdOrCtrl+Shift+N', click: newWindow },
        separator,
        item(text('menu.deploy'), 'deploy', 'CmdOrCtrl+N'),
        item(text('menu.addMachine'), 'add-machine'),
        separator,
        ...(mac ? [] : [settings, separator]),
        { role: 'close' },
        ...(mac ? [] : [{ role: 'quit' } as const]),
      ],
    },
    { label: text('menu.edit'), role: 'editMenu' },
    {
      label: text('menu.view'),
      submenu: [
        item(text('menu.overview'), 'overview', 'CmdOrCtrl+1'),
        item(text('menu.pods'), 'pods', 'CmdOrCtrl+2'),
        item(text('menu.machines'), 'machines', 'CmdOrCtrl+3'),
        separator,
        item(text('menu.palette'), 'palette', 'CmdOrCtrl+Shift+P'),
        separator,
        { role: 'reload' },
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { role: 'togglefullscreen' },
        ...(app.isPackaged ? [] : [{ role: 'toggleDevTools' } as const]),
      ],
    },
    { label: text('menu.window'), role: 'windowMenu' },
    { label: text('menu.help'), role: 'help', submenu: [item(text('menu.keys'), 'keys')] },
  ])
}
