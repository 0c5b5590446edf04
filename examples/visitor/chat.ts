/** The client without its page: brings session, outbox, stream and store together. */
import type { VisitorEvent } from '../../realtime/protocol/visitor-events.gen'
import type { Bootstrap, Call, History, SendAnswer } from './api'
import { ApiError } from './api'
import { createOutbox, retryDelayMs, type Outgoing } from './outbox'
import { openRealtime, type Realtime } from './realtime'
import { createSession } from './session'
import type { Memory } from './storage'
import {
  applyAnswer,
  applyBootstrap,
  applyEvent,
  applyHistory,
  createStore,
  isGap,
  startNewChat,
  startNewStream,
  type State,
} from './store'
import { explain, REVOKED } from './words'

export interface Chat {
  /** Opens the chat, and keeps trying while the server cannot be reached. */
  start(): Promise<void>
  send(content: string): void
  retry(clientMessageId: string): void
  discard(clientMessageId: string): void
  sayTyping(typing: 'start' | 'stop'): void
  saySeen(messageId: number): void
  loadEarlier(): Promise<void>
  startNew(): void
  /** The network may be back. */
  resume(): void
}

interface Options {
  call: Call
  memory: Memory
  widgetKey: string
  onChange(state: State): void
  openStream?: typeof openRealtime
}

const PAGE = 50
/** Shorter gaps are not worth a banner. */
const OFFLINE_AFTER_MS = 2_000
/** The server says that typing has stopped after 6 s; this is for when it cannot. */
const TYPING_FADES_MS = 7_000

export function createChat({
  call,
  memory,
  widgetKey,
  onChange,
  openStream = openRealtime,
}: Options): Chat {
  const session = createSession(call, memory, widgetKey)
  const store = createStore(onChange)
  const outbox = createOutbox({
    memory,
    send,
    onChange: (outgoing) => store.update((state) => ({ ...state, outgoing })),
  })
  let stream: Realtime | null = null
  let booting: Promise<Bootstrap> | null = null
  let attempt = 0
  let offlineTimer: ReturnType<typeof setTimeout> | undefined
  let typingTimer: ReturnType<typeof setTimeout> | undefined

  /** Client and subscription ask for new tokens at about the same time: one call serves both. */
  function bootstrap(): Promise<Bootstrap> {
    booting ??= session.call<Bootstrap>('/v1/webchat/bootstrap').finally(() => {
      booting = null
    })
    return booting
  }

  async function start(): Promise<void> {
    setConnection('connecting')
    try {
      const boot = await bootstrap()
      store.update((state) => applyBootstrap(state, boot))
      stream = openStream(boot, {
        bootstrap,
        onEvent,
        onGap,
        onConnection: setConnection,
        onRefused: restart,
        onRevoked: end,
      })
      outbox.resume()
    } catch (error) {
      if (error instanceof ApiError && error.isTemporary) {
        const { retryAfterS } = error
        setTimeout(() => void start(), retryAfterS ? retryAfterS * 1000 : retryDelayMs(attempt++))
      } else {
        store.update((state) => ({ ...state, problem: explain(error) }))
      }
    }
  }

  /** A refused token or a lost permission: begins again, and finds out whether it may. */
  function restart(): void {
    if (!stream) return // heard twice
    stream.close()
    stream = null
    setConnection('connecting')
    setTimeout(() => void start(), retryDelayMs(attempt++))
  }

  /** Forgets the session and stops, until the visitor begins again. */
  function end(): void {
    stream?.close()
    stream = null
    session.drop()
    store.update((state) => ({ ...state, problem: REVOKED }))
  }

  /** Fills by snapshot what the stream could not. Fails quietly: the next reconnect asks again. */
  async function resync(): Promise<void> {
    const boot = await bootstrap().catch(() => null)
    if (boot) store.update((state) => applyBootstrap(state, boot))
  }

  function setConnection(connection: 'connecting' | 'online'): void {
    const show = (shown: State['connection']) => {
      offlineTimer = undefined
      store.update((state) => ({ ...state, connection: shown }))
    }
    if (connection === 'connecting') {
      offlineTimer ??= setTimeout(() => show('offline'), OFFLINE_AFTER_MS)
      return
    }
    clearTimeout(offlineTimer)
    show('online')
    attempt = 0
    outbox.resume()
  }

  function onGap(): void {
    store.update(startNewStream)
    void resync()
  }

  function onEvent(event: VisitorEvent): void {
    if (isGap(store.get(), event)) void resync()
    store.update((state) => applyEvent(state, event))
    if (event.type === 'message.new' && event.data.client_message_id) {
      outbox.confirm(event.data.client_message_id)
    }
    if (event.type === 'typing.started') {
      clearTimeout(typingTimer)
      typingTimer = setTimeout(() => {
        store.update((state) => ({ ...state, typing: null }))
      }, TYPING_FADES_MS)
    }
    if (event.type === 'session.revoked') end()
  }

  async function send(message: Outgoing): Promise<void> {
    const { client_message_id, content } = message
    const { engagementId, problem } = store.get()
    if (problem) throw new ApiError(0, 'NO_CHAT', problem.title)
    try {
      const answer = await session.call<SendAnswer>('/v1/webchat/messages', {
        body: { engagement_id: engagementId, content, client_message_id },
      })
      store.update((state) => applyAnswer(state, message, answer))
    } catch (error) {
      // The conversation we know is not ours any more: learn the right one, for the next attempt.
      if (error instanceof ApiError && error.code === 'ENGAGEMENT_FORBIDDEN') await resync()
      throw error
    }
  }

  /** For what may be lost: nobody waits for the answer. */
  function report(path: string, body: object): void {
    const { engagementId, problem } = store.get()
    if (!engagementId || problem) return
    session.call(path, { body: { engagement_id: engagementId, ...body } }).catch(() => undefined)
  }

  return {
    start,
    send: outbox.add,
    retry: outbox.retry,
    discard: outbox.discard,
    resume: outbox.resume,
    sayTyping: (typing) => report('/v1/webchat/typing', { state: typing }),
    saySeen: (message_id) => report('/v1/webchat/seen', { message_id }),
    async loadEarlier() {
      const before = store.get().messages[0]?.id
      if (before === undefined) return
      const path = `/v1/webchat/messages?before=${before}&limit=${PAGE}`
      const page = await session.call<History>(path, { method: 'GET' })
      store.update((state) => applyHistory(state, page))
    },
    startNew: () => store.update(startNewChat),
  }
}
