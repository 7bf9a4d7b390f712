/** The five ways that the design knows; the order of lists and the window agree on them. */
export { isTrouble, TONE_RANK, type Tone } from '../../../electron/contracts/lists/tone.ts'
