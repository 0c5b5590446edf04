/**
 * Messages on their way: each is written down before it is sent, goes out in order, one at a time,
 * and is tried again under the same `client_message_id` until the server has it. That id makes a
 * repeated send harmless, so a lost answer, a reload and a second tab cost nothing.
 */
import type { ApiError } from './api'
import type { Memory } from './storage'

export interface Outgoing {
  readonly client_message_id: string
  readonly content: string
  readonly created_at: string
  /** `waiting` goes out by itself, `failed` waits for the visitor. */
  readonly state: 'waiting' | 'sending' | 'failed'
  /** The code of the last error. */
  readonly reason: string | null
}

interface Options {
  memory: Memory
  /** Makes the call. Rejects with `ApiError`. */
  send(message: Outgoing): Promise<void>
  onChange(messages: readonly Outgoing[]): void
}

export interface Outbox {
  add(content: string): void
  /** The visitor asks for a failed message once more. */
  retry(clientMessageId: string): void
  /** The visitor gives a failed message up. */
  discard(clientMessageId: string): void
  /** The stream has shown the message, perhaps before the send was answered. */
  confirm(clientMessageId: string): void
  /** The connection may be back: does not wait any longer, except where the server asked for it. */
  resume(): void
}

const KEY = 'outbox.'
const FIRST_DELAY_MS = 1_000
const LONGEST_DELAY_MS = 30_000

/** Doubles with every attempt; the jitter keeps many visitors from coming back at once. */
export function retryDelayMs(attempt: number, jitter = Math.random()): number {
  return Math.min(FIRST_DELAY_MS * 2 ** attempt, LONGEST_DELAY_MS) * (0.5 + jitter / 2)
}

export function createOutbox({ memory, send, onChange }: Options): Outbox {
  let messages = readStored(memory)
  let attempt = 0
  let isRunning = false
  /** Before this time the server wants nothing from us. */
  let heldUntil = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  function change(next: Outgoing[]): void {
    messages = next
    onChange(messages)
  }

  function update(id: string, fields: Pick<Outgoing, 'state' | 'reason'>): void {
    change(
      messages.map((m) => (m.client_message_id === id ? store(memory, { ...m, ...fields }) : m)),
    )
  }

  function remove(id: string): void {
    memory.remove(KEY + id)
    if (messages.some((m) => m.client_message_id === id)) {
      change(messages.filter((m) => m.client_message_id !== id))
    }
  }

  async function run(): Promise<void> {
    if (isRunning || Date.now() < heldUntil) return
    clearTimeout(timer)
    isRunning = true
    let delay: number | null = null
    for (let next; delay === null && (next = messages.find((m) => m.state === 'waiting'));) {
      delay = await trySend(next)
    }
    isRunning = false
    if (delay !== null) timer = setTimeout(tryAgain, delay)
  }

  function tryAgain(): void {
    heldUntil = 0
    void run()
  }

  /** Returns null when the next message may go, else the milliseconds to wait. */
  async function trySend(message: Outgoing): Promise<number | null> {
    const id = message.client_message_id
    update(id, { state: 'sending', reason: null })
    try {
      await send(message)
    } catch (error) {
      const { isTemporary, code, retryAfterS } = error as ApiError
      update(id, { state: isTemporary ? 'waiting' : 'failed', reason: code })
      if (!isTemporary) return null
      if (retryAfterS === null) return retryDelayMs(attempt++)
      heldUntil = Date.now() + retryAfterS * 1000
      return retryAfterS * 1000
    }
    remove(id)
    attempt = 0
    return null
  }

  if (messages.length) onChange(messages)

  return {
    add(content) {
      const newest = messages.at(-1)
      const at = Math.max(Date.now(), newest ? Date.parse(newest.created_at) + 1 : 0)
      const message: Outgoing = {
        client_message_id: `cm-${crypto.randomUUID()}`,
        content,
        created_at: new Date(at).toISOString(),
        state: 'waiting',
        reason: null,
      }
      change([...messages, store(memory, message)])
      void run()
    },
    retry(id) {
      update(id, { state: 'waiting', reason: null })
      void run()
    },
    discard: remove,
    confirm: remove,
    resume() {
      attempt = 0
      void run()
    },
  }
}

/** One key per message, so that two tabs do not overwrite each other. */
function store(memory: Memory, message: Outgoing): Outgoing {
  memory.set(KEY + message.client_message_id, JSON.stringify(message))
  return message
}

/** A message that was being sent when the page went away may or may not have arrived: it waits. */
function readStored(memory: Memory): Outgoing[] {
  return memory
    .keys(KEY)
    .map((key) => JSON.parse(memory.get(key) ?? 'null') as Outgoing | null)
    .filter((message) => message !== null)
    .map((message) =>
      message.state === 'sending' ? { ...message, state: 'waiting' as const } : message,
    )
    .sort((a, b) => a.created_at.localeCompare(b.created_at))
}
