import { Menu, nativeImage, Tray } from 'electron'
import type { MenuCommand } from '../contracts/shell.ts'

/** The tray entry: the cluster goes on while no window is open. Must be kept by the caller, or it vanishes. */
export function createTray(options: { icon: string; show: () => void; send: (command: MenuCommand) => void; quit: () => void }): Tray {
  const image = nativeImage.createFromPath(options.icon)
  if (process.platform === 'darwin') image.setTemplateImage(true)
  const tray = new Tray(image)
  tray.setToolTip('Flotilla')
  tray.setContextMenu(
    Menu.buildFromTemplate([
      { label: 'Open Flotilla', click: options.show },
      { label: 'Deploy…', click: () => options.send('deploy') },
      { label: 'Machines', click: () => options.send('machines') },
      { type: 'separator' },
      { label: 'Quit (pods go on running)', click: options.quit },
    ]),
  )
  tray.on('click', options.show)
  return tray
}
