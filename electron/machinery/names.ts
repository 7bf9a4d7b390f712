/** Names that the server makes. Source: apiserver `storage/names`. */
import { randomSuffix, type Random } from '../base/random.ts'

const MAX_LENGTH = 63
const SUFFIX_LENGTH = 5

/** `generateName` with five random characters, cut so that the whole is at most 63 long. */
export function generateName(base: string, random: Random): string {
  return `${base.slice(0, MAX_LENGTH - SUFFIX_LENGTH)}${randomSuffix(random, SUFFIX_LENGTH)}`
}
