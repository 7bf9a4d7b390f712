/** Asks again until the answer is neither undefined nor false; rejects with the last fault after a time that only a broken program needs. */
export async function until<T>(what: string, ask: () => T | Promise<T>, seconds = 90): Promise<NonNullable<Exclude<T, false>>> {
  const end = performance.now() + seconds * 1000
  for (;;) {
    let fault: unknown
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false && answer !== null) return answer as NonNullable<Exclude<T, false>>
    } catch (error) {
      fault = error
    }
    if (performance.now() > end) throw new Error(`not in ${seconds} s: ${what}`, { cause: fault })
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
