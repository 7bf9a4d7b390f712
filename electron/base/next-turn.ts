/** Lets everything else that waits have its turn first: for work that would hold up the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
