import { app, Menu, type MenuItemConstructorOptions } from 'electron'
import type { MenuCommand } from '../contracts/shell.ts'

/** The application menu; `send` tells the UI what was chosen. */
export function buildMenu(send: (command: MenuCommand) => void): Menu {
  const item = (label: string, command: MenuCommand, accelerator?: string): MenuItemConstructorOptions => ({
    label,
    click: () => send(command),
    ...(accelerator ? { accelerator } : {}),
  })
  const mac: MenuItemConstructorOptions[] = process.platform === 'darwin' ? [{ role: 'appMenu' }] : []
  return Menu.buildFromTemplate([
    ...mac,
    {
      label: 'File',
      submenu: [
        item('Deploy…', 'deploy', 'CmdOrCtrl+N'),
        item('Add Machine…', 'add-machine'),
        { type: 'separator' },
        item('Settings…', 'settings', 'CmdOrCtrl+,'),
        { type: 'separator' },
        { role: process.platform === 'darwin' ? 'close' : 'quit' },
      ],
    },
    { role: 'editMenu' },
    {
      label: 'View',
      submenu: [
        item('Overview', 'overview'),
        item('Pods', 'pods'),
        item('Machines', 'machines'),
        { type: 'separator' },
        item('Command Palette…', 'palette'),
        { type: 'separator' },
        { role: 'reload' },
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { role: 'togglefullscreen' },
        ...(app.isPackaged ? [] : [{ role: 'toggleDevTools' } as const]),
      ],
    },
    { role: 'windowMenu' },
    { role: 'help', submenu: [item('Keys', 'keys')] },
  ])
}
