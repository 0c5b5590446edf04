/**
 * What the client knows. Every change is a pure function from one state to the next, so that a
 * snapshot, an event, an answer and a page of history may arrive in any order and more than once.
 */
import type { VisitorEvent } from '../../realtime/protocol/visitor-events.gen'
import type { Agent, Bootstrap, History, SendAnswer, WireMessage } from './api'
import type { Outgoing } from './outbox'
import type { Problem } from './words'

export interface Message {
  readonly id: number
  readonly clientMessageId: string | null
  readonly content: string
  readonly sender: 'CONTACT' | 'USER' | 'BOT' | 'SYSTEM'
  readonly senderName: string | null
  readonly createdAt: string
}

export interface State {
  /** Messages that the server has, ordered by id. */
  readonly messages: readonly Message[]
  /** Messages that it may not have yet, in the order of writing. */
  readonly outgoing: readonly Outgoing[]
  readonly hasMore: boolean
  /** The conversation that the next message belongs to; 0 begins one. */
  readonly engagementId: number
  /** The conversation that ended, and when, if that is known. */
  readonly closed: { readonly engagementId: number; readonly at: string | null } | null
  readonly agent: Agent | null
  /** Who is typing. */
  readonly typing: { readonly name: string | null } | null
  /** The newest message of the visitor that was read. */
  readonly readUpTo: number
  /** The number of the newest durable event; null until one came. */
  readonly lastSeq: number | null
  readonly connection: 'connecting' | 'online' | 'offline'
  /** Why there is no chat, and what to do. */
  readonly problem: Problem | null
  readonly isLoaded: boolean
}

export const EMPTY: State = {
  messages: [],
  outgoing: [],
  hasMore: false,
  engagementId: 0,
  closed: null,
  agent: null,
  typing: null,
  readUpTo: 0,
  lastSeq: null,
  connection: 'connecting',
  problem: null,
  isLoaded: false,
}

export interface Store {
  get(): State
  update(change: (state: State) => State): void
}

export function createStore(onChange: (state: State) => void): Store {
  let state = EMPTY
  return {
    get: () => state,
    update(change) {
      const next = change(state)
      if (next === state) return
      state = next
      onChange(state)
    },
  }
}

export function isClosed(state: State): boolean {
  return state.closed !== null && state.closed.engagementId === state.engagementId
}

/**
 * Reconciles with a snapshot. Between its first message and its last the snapshot is right, also
 * about what was deleted; what is newer came over the stream meanwhile and stays. Where it does not
 * reach back to what we hold, there is a hole, and the older part is left to be paged in again.
 */
export function applyBootstrap(state: State, boot: Bootstrap): State {
  const fresh = boot.messages.map(fromWire)
  const first = fresh[0]?.id ?? Infinity
  const last = fresh.at(-1)?.id ?? 0
  const overlaps = state.messages.some((m) => m.id >= first)
  const older = overlaps ? state.messages.filter((m) => m.id < first) : []
  const newer = state.messages.filter((m) => m.id > last)
  return {
    ...state,
    messages: [...older, ...fresh, ...newer],
    hasMore: older.length ? state.hasMore : (boot.has_more ?? false),
    engagementId: boot.engagement_id || state.engagementId,
    closed: boot.engagement_id ? null : newer.length ? state.closed : closedMeanwhile(state),
    agent: boot.agent ?? null,
    typing: null,
    readUpTo: Math.max(state.readUpTo, boot.read_up_to ?? 0),
    isLoaded: true,
  }
}

/** The snapshot knows no open conversation: ours, if there was one, ended while we were away. */
function closedMeanwhile({ engagementId, closed }: State): State['closed'] {
  return engagementId ? (closed ?? { engagementId, at: null }) : null
}

export function applyHistory(state: State, page: History): State {
  return { ...page.messages.map(fromWire).reduce(putMessage, state), hasMore: page.has_more }
}

export function applyAnswer(state: State, sent: Outgoing, answer: SendAnswer): State {
  return {
    ...putMessage(state, {
      id: answer.message_id,
      clientMessageId: sent.client_message_id,
      content: sent.content,
      sender: 'CONTACT',
      senderName: null,
      createdAt: answer.created_at,
    }),
    engagementId: answer.engagement_id,
  }
}

/** A new chat after a closed one: the next message opens it. */
export function startNewChat(state: State): State {
  return { ...state, engagementId: 0, closed: null, agent: null }
}

/** The stream begins anew: its numbers may too. */
export function startNewStream(state: State): State {
  return { ...state, lastSeq: null }
}

/** True when durable events are missing between the last one and this. */
export function isGap(state: State, event: VisitorEvent): boolean {
  return 'seq' in event && state.lastSeq !== null && event.seq > state.lastSeq + 1
}

export function applyEvent(state: State, event: VisitorEvent): State {
  if (!('seq' in event)) return reduce(state, event) // ephemeral
  if (state.lastSeq !== null && event.seq <= state.lastSeq) return state // delivered twice
  return { ...reduce(state, event), lastSeq: event.seq }
}

function reduce(state: State, event: VisitorEvent): State {
  switch (event.type) {
    case 'message.new': {
      const { data } = event
      const next = putMessage(state, {
        id: data.message_id,
        clientMessageId: data.client_message_id,
        content: data.content,
        sender: data.sender.type,
        senderName: data.sender.name,
        createdAt: data.created_at,
      })
      if (data.sender.type === 'SYSTEM') return next
      return {
        ...next,
        engagementId: event.engagement_id,
        closed: null, // somebody wrote: the chat goes on
        typing: data.sender.type === 'CONTACT' ? state.typing : null,
        // An agent who answers has read.
        readUpTo:
          data.sender.type === 'USER' ? Math.max(state.readUpTo, data.message_id) : state.readUpTo,
      }
    }
    case 'message.read':
      return { ...state, readUpTo: Math.max(state.readUpTo, event.data.message_id) }
    case 'typing.started':
      return { ...state, typing: { name: event.data.sender_name } }
    case 'typing.stopped':
      return { ...state, typing: null }
    case 'engagement.assigned':
      return { ...state, agent: event.data.agent }
    case 'engagement.closed':
      return {
        ...state,
        closed: { engagementId: event.engagement_id, at: event.data.closed_at },
        typing: null,
      }
    case 'engagement.reopened':
      return { ...state, engagementId: event.engagement_id, closed: null }
    default:
      return state // a newer server's event
  }
}

/** Puts a message in its place by id, or over the one that has this id already. */
function putMessage(state: State, message: Message): State {
  const before = state.messages.filter((m) => m.id < message.id)
  const after = state.messages.filter((m) => m.id > message.id)
  return { ...state, messages: [...before, message, ...after] }
}

function fromWire(message: WireMessage): Message {
  return {
    id: message.id,
    clientMessageId: message.client_message_id ?? null,
    content: message.content,
    sender: message.sender_type,
    senderName: message.sender_name ?? null,
    createdAt: message.created_at,
  }
}
