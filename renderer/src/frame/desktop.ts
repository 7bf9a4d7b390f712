/** What the desktop's window has beside the page: its menu, what is opened from outside, and its idea of light, dark and language. */
import { useEventListener } from '@vueuse/core'
import { watch } from 'vue'
import { useRouter } from 'vue-router'
import type { MenuCommand, Notice, OpenRequest } from '../../../electron/contracts/shell.ts'
import { useFace } from '../face/index.ts'
import { t, type PlainKey } from '../i18n/index.ts'
import { useFrame } from '../stores/frame.ts'
import { usePrefs } from '../stores/prefs.ts'
import { useToasts } from '../stores/toasts.ts'

const NOTICES: Readonly<Record<Notice, PlainKey>> = {
  'window-restored': 'desktop.windowRestored',
  'plane-restarted': 'desktop.planeRestarted',
}

/** In a browser nothing happens. */
export function useDesktop(): void {
  const desktop = window.flotilla
  if (!desktop) return
  const router = useRouter()
  const frame = useFrame()
  const prefs = usePrefs()
  const toasts = useToasts()
  const face = useFace()
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
  const open = (request: OpenRequest) => {
    if (request.type === 'page') return void router.push(request.route)
    frame.droppedYaml = { name: request.name, text: request.text }
    go('deploy')
  }
  desktop.onMenu((command) => commands[command]())
  desktop.onOpen(open)
  desktop.onNotice((notice) => toasts.show(t(NOTICES[notice])))
  // The plane sees its own addresses change; that a network works again, the browser knows sooner.
  useEventListener(window, 'online', () => face.call('machines.poke', { reason: 'network' }).catch(() => undefined))
  watch(
    () => prefs.theme,
    (theme) => void desktop.setTheme(theme),
    { immediate: true },
  )
  watch(
    () => prefs.shownLanguage,
    (language) => void desktop.setLanguage(language),
    { immediate: true },
  )
}
