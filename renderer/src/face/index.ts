import type { InjectionKey } from 'vue'
import { inject } from 'vue'
import { createFace, type Face } from './face.ts'
import { electronPort } from './electron-port.ts'
import { faceUrl, openWebSocket } from './websocket-port.ts'

export const FACE: InjectionKey<Face> = Symbol('face')

/** Over IPC in the desktop's window, over a WebSocket in a browser. */
export function pickFace(): Face {
  const desktop = window.flotilla
  return createFace(desktop ? () => Promise.resolve(electronPort(desktop)) : () => openWebSocket(faceUrl(window.location)))
}

export function useFace(): Face {
  const face = inject(FACE)
  if (!face) throw new Error('no face was provided')
  return face
}
