/** Tells the agents that the visitor is typing, at most once a second. */

const AT_MOST_EVERY_MS = 1_000
/** The server forgets a start after 6 s, so it is said again before. */
const SAY_AGAIN_MS = 4_000
const IDLE_MS = 5_000

export interface TypingSignal {
  /** The composer's text has changed. */
  typed(text: string): void
  stopped(): void
}

export function createTypingSignal(send: (state: 'start' | 'stop') => void): TypingSignal {
  let wanted: 'start' | 'stop' = 'stop'
  let said: 'start' | 'stop' = 'stop'
  let saidAt = 0
  let pending: ReturnType<typeof setTimeout> | undefined
  let idle: ReturnType<typeof setTimeout> | undefined

  function flush(): void {
    clearTimeout(pending)
    pending = undefined
    const isNews = wanted !== said
    const isDue = wanted === 'start' && Date.now() - saidAt >= SAY_AGAIN_MS
    if (!isNews && !isDue) return
    said = wanted
    saidAt = Date.now()
    send(said)
  }

  function want(state: 'start' | 'stop'): void {
    wanted = state
    const delay = saidAt + AT_MOST_EVERY_MS - Date.now()
    if (delay <= 0) flush()
    else pending ??= setTimeout(flush, delay)
  }

  function stopped(): void {
    clearTimeout(idle)
    want('stop')
  }

  return {
    typed(text) {
      clearTimeout(idle)
      if (!text.trim()) return stopped()
      want('start')
      idle = setTimeout(stopped, IDLE_MS)
    },
    stopped,
  }
}
