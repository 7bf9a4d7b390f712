/** How well something is, in the five ways that the design knows. */
export type Tone = 'ok' | 'idle' | 'busy' | 'warn' | 'err'

/** Trouble first. */
export const TONE_RANK: Readonly<Record<Tone, number>> = { err: 0, warn: 1, busy: 2, idle: 4, ok: 3 }

export const isTrouble = (tone: Tone): boolean => tone === 'err' || tone === 'warn'
