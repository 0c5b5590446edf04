/** Keeps the log's elements in step with its rows, and the visitor's place in it. */
import { copyTemplate, element, fillAvatar, linkified, setText, within } from './dom'
import { clock, dayAndClock } from './format'
import type { MessageRow, Row, Status } from './rows'

/** Nearer to the end than this counts as being there. */
const NEAR_END_PX = 48

export interface Log {
  render(rows: readonly Row[]): void
  /** Whether the end is in sight, and stays so when something grows or shrinks. */
  isPinned(): boolean
  scrollToEnd(): void
}

export function createLog(): Log {
  const log = element('log', HTMLElement)
  const scroll = element('scroll', HTMLElement)
  let elements = new Map<string, HTMLElement>()
  let isPinned = true

  function scrollToEnd(): void {
    isPinned = true
    scroll.scrollTop = scroll.scrollHeight
  }

  scroll.addEventListener('scroll', () => {
    isPinned = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END_PX
  })
  const sizes = new ResizeObserver(() => {
    if (isPinned) scrollToEnd()
  })
  for (const part of [scroll, ...scroll.children]) sizes.observe(part)

  /** Moves only what is out of place: a message that was there is neither redrawn nor read again. */
  function render(rows: readonly Row[]): void {
    const fromEnd = scroll.scrollHeight - scroll.scrollTop
    const isPrepending = elements.size > 0 && !elements.has(rows[0]?.key ?? '')
    if (isPrepending) log.setAttribute('aria-live', 'off')

    const next = new Map(rows.map((row) => [row.key, elements.get(row.key) ?? create(row)]))
    for (const [key, old] of elements) if (!next.has(key)) old.remove()
    let place = log.firstElementChild
    for (const row of rows) {
      const current = next.get(row.key)!
      if (row.kind === 'message') fill(current, row)
      if (current === place) place = place.nextElementSibling
      else log.insertBefore(current, place)
    }
    elements = next

    if (isPrepending && !isPinned) scroll.scrollTop = scroll.scrollHeight - fromEnd
    // History is not news: the log speaks only of what comes after it stands.
    if (rows.length) setTimeout(() => log.setAttribute('aria-live', 'polite'))
  }

  return { render, isPinned: () => isPinned, scrollToEnd }
}

function create(row: Row): HTMLElement {
  const made = within(copyTemplate(`${row.kind}-row`), '*', HTMLElement)
  if (row.kind === 'time') {
    const time = within(made, 'time', HTMLTimeElement)
    time.dateTime = row.at
    time.textContent = dayAndClock(row.at)
  }
  return made
}

function fill(row: HTMLElement, message: MessageRow): void {
  const { side, author, isBot, isFirst, isLast, content, at, status } = message
  row.className = `row ${side}`
  row.classList.toggle('first', isFirst)
  row.classList.toggle('last', isLast)
  setText(within(row, '.author bdi', HTMLElement), side === 'their' ? author : '')
  setText(within(row, '.said', HTMLElement), `${author ? `${author}, ` : ''}${clock(at)}:`)
  fillAvatar(within(row, '.avatar', HTMLElement), author, isBot)
  const paragraph = within(row, '.content', HTMLElement)
  if (paragraph.textContent !== content) paragraph.replaceChildren(...linkified(content))
  fillStatus(within(row, '.status', HTMLElement), status)
}

function fillStatus(target: HTMLElement, status: Status | null): void {
  const signature = status ? `${status.kind}:${status.text}` : ''
  if (target.dataset['shown'] === signature) return
  target.dataset['shown'] = signature
  target.className = `status ${status?.kind ?? ''}`
  if (!status) return target.replaceChildren()
  const content = copyTemplate(`status-${status.kind}`)
  const text = content.querySelector('.text')
  if (text) text.textContent = status.text
  for (const button of content.querySelectorAll('button')) {
    button.value = status.kind === 'failed' ? status.clientMessageId : ''
  }
  target.replaceChildren(content)
}
