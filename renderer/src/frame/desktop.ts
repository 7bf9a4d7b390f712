/** What the desktop's window has beside the page: its menu, and its own idea of light and dark. In a browser nothing happens. */
import { watch } from 'vue'
import { useRouter } from 'vue-router'
import type { MenuCommand } from '../../../electron/contracts/shell.ts'
import { useFrame } from '../stores/frame.ts'
import { usePrefs } from '../stores/prefs.ts'

export function useDesktop(): void {
  const desktop = window.flotilla
  if (!desktop) return
  const router = useRouter()
  const frame = useFrame()
  const prefs = usePrefs()
  const go = (name: string) => void router.push({ name })
  const commands: Record<MenuCommand, () => void> = {
    overview: () => go('overview'),
    pods: () => go('pods'),
    machines: () => go('machines'),
    deploy: () => go('deploy'),
    settings: () => go('settings'),
    'add-machine': () => frame.openMachine(),
    palette: () => frame.openPalette(),
    keys: () => (frame.keyHelp = true),
  }
  desktop.onMenu((command) => commands[command]())
  watch(
    () => prefs.theme,
    (theme) => void desktop.setTheme(theme),
    { immediate: true },
  )
}
