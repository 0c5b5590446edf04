/** Tells the agents how far the visitor has read. */

/** Long enough that a glance does not count. */
const DWELL_MS = 500

export interface SeenReporter {
  /** Something has changed: a message came, the log was scrolled, the page got the focus. */
  check(): void
}

/**
 * @param newestShown the newest message in front of the visitor's eyes, or null
 * @param send gets each id once, and only rising ones
 */
export function createSeenReporter(
  newestShown: () => number | null,
  send: (messageId: number) => void,
): SeenReporter {
  let reported = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  const isReading = () => document.visibilityState === 'visible' && document.hasFocus()

  function report(): void {
    timer = undefined
    const id = newestShown()
    if (id === null || id <= reported || !isReading()) return
    reported = id
    send(id)
  }

  function check(): void {
    timer ??= setTimeout(report, DWELL_MS)
  }

  document.addEventListener('visibilitychange', check)
  window.addEventListener('focus', check)
  return { check }
}
