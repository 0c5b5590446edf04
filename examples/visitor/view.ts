/** The page: shows a state, and turns what the visitor does into calls. */
import { element, fillAvatar, setText, within } from './dom'
import { clock } from './format'
import { createLog } from './log'
import { toRows } from './rows'
import { isClosed, type State } from './store'
import { explainSilence } from './words'

export interface Actions {
  send(content: string): void
  retry(clientMessageId: string): void
  discard(clientMessageId: string): void
  typed(text: string): void
  loadEarlier(): Promise<void>
  startNew(): void
  startOver(): void
  /** The log was scrolled, or has something new. */
  looked(): void
}

export interface View {
  render(state: State): void
  /** Whether the end of the log is in front of the visitor's eyes. */
  isAtEnd(): boolean
}

export function createView(actions: Actions): View {
  const log = createLog()
  const scroll = element('scroll', HTMLElement)
  const text = element('text', HTMLTextAreaElement)
  const form = element('composer', HTMLFormElement)
  const submit = within(form, '[type=submit]', HTMLButtonElement)
  const earlier = element('earlier', HTMLButtonElement)
  const newer = element('newer', HTMLButtonElement)
  const confirm = element('confirm', HTMLDialogElement)
  const problemActions = {
    reload: element('problem-reload', HTMLButtonElement),
    'start-over': element('problem-start-over', HTMLButtonElement),
  }
  let shown: State | null = null

  function render(state: State): void {
    const hasNews = shown !== null && lastId(state) > lastId(shown)
    showHead(state)
    showFoot(state)
    showProblem(state)
    earlier.hidden = !state.hasMore
    element('empty', HTMLElement).hidden = !isEmpty(state)
    showTyping(state)
    log.render(toRows(state))
    if (hasNews && !log.isPinned()) newer.hidden = false
    shown = state
    actions.looked()
  }

  function showHead(state: State): void {
    const { agent, problem } = state
    const face = element('face', HTMLElement)
    face.hidden = !agent
    if (agent) fillAvatar(face, agent.name)
    element('mark', SVGElement).classList.toggle('hidden', agent !== null)
    setText(element('title', HTMLElement), agent?.name ?? 'Chat with us')
    const presence = element('presence', HTMLElement)
    setText(presence, presenceText(state))
    const away = problem !== null || isClosed(state) || state.connection === 'offline'
    presence.classList.toggle('away', away)
  }

  function showFoot(state: State): void {
    const ended = isClosed(state)
    const canWrite = !ended && state.problem === null
    element('ended', HTMLElement).hidden = !ended
    element('banner', HTMLElement).hidden = state.connection !== 'offline' || state.problem !== null
    setText(element('banner-text', HTMLElement), explainSilence(state.isLoaded))
    form.hidden = !canWrite
    text.disabled = !canWrite
    updateSubmit()
  }

  function showProblem({ problem }: State): void {
    element('problem', HTMLElement).hidden = !problem
    scroll.hidden = problem !== null
    if (!problem) return
    setText(element('problem-title', HTMLElement), problem.title)
    setText(element('problem-text', HTMLElement), problem.text)
    for (const [action, button] of Object.entries(problemActions)) {
      button.hidden = problem.action !== action
    }
  }

  function showTyping({ typing, agent }: State): void {
    const row = element('typing', HTMLElement)
    const name = typing?.name ?? agent?.name ?? 'Agent'
    row.hidden = !typing
    fillAvatar(within(row, '.avatar', HTMLElement), name)
    setText(element('typing-text', HTMLElement), typing ? `${name} is typing` : '')
  }

  function updateSubmit(): void {
    submit.disabled = !text.value.trim()
  }

  function submitText(): void {
    const content = text.value.trim()
    if (!content || text.disabled) return
    text.value = ''
    updateSubmit()
    actions.send(content)
    log.scrollToEnd()
    text.focus()
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    submitText()
  })
  text.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    submitText()
  })
  text.addEventListener('input', () => {
    updateSubmit()
    actions.typed(text.value)
  })
  element('log', HTMLElement).addEventListener('click', ({ target }) => {
    if (!(target instanceof HTMLButtonElement)) return
    if (target.matches('.retry')) actions.retry(target.value)
    if (target.matches('.discard')) actions.discard(target.value)
    text.focus() // the button is gone
  })
  scroll.addEventListener('scroll', () => {
    if (log.isPinned()) newer.hidden = true
    actions.looked()
  })
  newer.addEventListener('click', () => {
    log.scrollToEnd()
    text.focus()
  })
  earlier.addEventListener('click', async () => {
    earlier.disabled = true
    try {
      await actions.loadEarlier()
      setText(earlier, 'Show earlier messages')
    } catch {
      setText(earlier, 'Earlier messages did not come. Try again')
    }
    earlier.disabled = false
  })
  element('start-new', HTMLButtonElement).addEventListener('click', () => {
    actions.startNew()
    text.focus()
  })
  element('start-over', HTMLButtonElement).addEventListener('click', () => confirm.showModal())
  confirm.addEventListener('close', () => {
    if (confirm.returnValue === 'start-over') actions.startOver()
  })
  problemActions.reload.addEventListener('click', () => location.reload())
  problemActions['start-over'].addEventListener('click', actions.startOver)

  return { render, isAtEnd: () => !scroll.hidden && log.isPinned() }
}

function lastId({ messages }: State): number {
  return messages.at(-1)?.id ?? 0
}

function isEmpty({ isLoaded, messages, outgoing }: State): boolean {
  return isLoaded && !messages.length && !outgoing.length
}

function presenceText(state: State): string {
  const { agent, closed, connection, isLoaded, problem } = state
  if (problem) return 'Closed'
  if (isClosed(state)) return closed?.at ? `Chat ended ${clock(closed.at)}` : 'Chat ended'
  if (connection === 'offline') return 'Reconnecting'
  if (agent) return 'Here to help'
  return isLoaded ? 'Write to us, we answer here' : 'Opening the chat'
}
