import { MAX_SCORE } from './framework.ts'

/** The largest score becomes 100 and the rest in proportion; reversed, the smallest is best. Source: `plugins/helper/normalize_score.go`. */
export function normalizeByLargest(scores: number[], reverse: boolean): void {
  let largest = 0
  for (const score of scores) if (score > largest) largest = score
  for (let i = 0; i < scores.length; i++) {
    if (largest === 0) {
      if (reverse) scores[i] = MAX_SCORE
      continue
    }
    const score = Math.trunc((MAX_SCORE * (scores[i] as number)) / largest)
    scores[i] = reverse ? MAX_SCORE - score : score
  }
}
