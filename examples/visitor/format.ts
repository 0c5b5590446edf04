/** Times and names in words. */

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const DATE = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
})
const DAY_MS = 86_400_000

export function clock(at: string): string {
  return CLOCK.format(new Date(at))
}

/** "Today 13:49", "Yesterday 18:02", "Fri, 21 Nov 09:30". */
export function dayAndClock(at: string, now = new Date()): string {
  const date = new Date(at)
  const isDay = (other: Date) => date.toDateString() === other.toDateString()
  const day = isDay(now)
    ? 'Today'
    : isDay(new Date(now.getTime() - DAY_MS))
      ? 'Yesterday'
      : DATE.format(date)
  return `${day} ${clock(at)}`
}

/** "Neema Otieno" to "NO". */
export function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean)
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words
  return letters.map((word) => [...(word ?? '')][0]?.toUpperCase()).join('')
}

/** One of the six avatar colours, always the same for a name. */
export function avatarColour(name: string): number {
  return [...name].reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0) % 6
}
